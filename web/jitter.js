// jitter.js: from sound that comes in bursts to sound that never stops. Pure.
//
// Each burst is played `delay` after it could have been: the time that later
// ones may come late. When one comes later still, silence is played (an
// underrun, counted, as is its length) and the delay grows; when all come in
// time for a while, it shrinks again. What lies in wait without need is
// skipped, so that an old delay is not carried along for ever.

const MS = 24; // samples of a millisecond
const DELAY_MIN = 60 * MS;
const DELAY_MAX = 400 * MS;
const DELAY_STEP = 40 * MS;  // up, at an underrun
const CALM_STEP = 20 * MS;   // down, after a calm time
const CALM = 15000 * MS;
const WATCH = 3000 * MS;     // the least that lay in wait in this time …
const EXCESS = 60 * MS;      // … is skipped when it is so much too long
const FADE = 5 * MS;

export class JitterBuffer {
    constructor() {
        this.queue = [];   // Float32Arrays
        this.first = 0;    // of the first one, samples taken
        this.fill = 0;
        this.delay = DELAY_MIN;
        this.waiting = true;
        this.wait = this.delay; // that is left, once something is there
        this.begun = false;
        this.least = Infinity;
        this.watched = 0;
        this.calm = 0;
        // What the page shows, in samples (but underruns):
        this.played = 0;    // of what came, heard or skipped
        this.underruns = 0;
        this.missed = 0;    // silence in place of sound
        this.skipped = 0;
    }

    push(samples) {
        if (samples.length === 0)
            return;
        this.queue.push(samples);
        this.fill += samples.length;
    }

    // Fills `out`, with silence where there is no sound.
    pull(out) {
        const begun = this.begun;
        const at = this.waiting ? this.sitOut(out.length) : 0;
        const got = this.waiting ? 0 : this.take(out, at);
        out.fill(0, 0, at);
        out.fill(0, at + got);
        if (at + got < out.length && !this.waiting)
            this.runDry(out, at, at + got);
        if (begun)
            this.missed += out.length - got;
        this.watch(out.length);
    }

    // The samples of a block that pass before playing begins.
    sitOut(length) {
        if (this.fill === 0)
            return length;
        const silent = Math.min(this.wait, length);
        this.wait -= silent;
        if (this.wait === 0) {
            this.waiting = false;
            this.begun = true;
            this.least = Infinity;
            this.watched = 0;
        }
        return silent;
    }

    take(out, at) {
        let n = 0;
        while (at + n < out.length && this.fill > 0) {
            const head = this.queue[0];
            const some = Math.min(head.length - this.first,
                out.length - at - n);
            out.set(head.subarray(this.first, this.first + some), at + n);
            this.drop(some);
            n += some;
        }
        return n;
    }

    drop(n) {
        this.fill -= n;
        this.played += n;
        this.first += n;
        while (this.queue.length > 0 && this.first >= this.queue[0].length)
            this.first -= this.queue.shift().length;
    }

    runDry(out, at, end) {
        const fade = Math.min(FADE, end - at);
        for (let i = 0; i < fade; i++)
            out[end - 1 - i] *= i / fade;
        this.underruns++;
        this.delay = Math.min(this.delay + DELAY_STEP, DELAY_MAX);
        this.calm = 0;
        this.waiting = true;
        this.wait = this.delay;
    }

    watch(length) {
        if (this.waiting)
            return;
        this.least = Math.min(this.least, this.fill);
        this.watched += length;
        this.calm += length;
        if (this.calm >= CALM) {
            this.calm = 0;
            this.delay = Math.max(this.delay - CALM_STEP, DELAY_MIN);
        }
        if (this.watched < WATCH)
            return;
        if (this.least > this.delay + EXCESS)
            this.skip(this.least - this.delay);
        this.least = Infinity;
        this.watched = 0;
    }

    // Jump ahead by n samples, one side fading into the other.
    skip(n) {
        const before = new Float32Array(FADE);
        const played = this.played;
        this.take(before, 0);
        this.drop(n - FADE);
        const after = new Float32Array(FADE);
        this.take(after, 0);
        for (let i = 0; i < FADE; i++)
            after[i] = (after[i] * (i + 1) + before[i] * (FADE - i)) /
                (FADE + 1);
        this.skipped += n;
        // The faded part is still to be heard.
        this.played = played + n;
        this.queue.unshift(this.queue.length > 0
            ? this.queue.shift().subarray(this.first) : new Float32Array(0));
        this.first = 0;
        this.queue.unshift(after);
        this.fill += FADE;
    }
}
