// pace.js: does the other side keep up, and if not, who is too slow? Pure.

const BEHIND_MS = 1500; // sent, and not yet answered
const MISSED = 0.1;     // of the last seconds, silence in place of sound
const WINDOW_MS = 8000;
const CALM_MS = 5000;

// Looks at the figures of each block; `slow` says what to think of it.
export class Pace {
    constructor() {
        this.slow = false;
        this.seen = []; // {ms, missed}
        this.badAt = -Infinity;
    }

    // All of them in milliseconds since the conversation began.
    look({captured, received, missed}) {
        this.seen.push({ms: captured, missed});
        while (captured - this.seen[0].ms > WINDOW_MS)
            this.seen.shift();
        const gone = missed - this.seen[0].missed;
        const bad = captured - received > BEHIND_MS ||
            gone > MISSED * WINDOW_MS;
        if (bad)
            this.badAt = captured;
        this.slow = bad || captured - this.badAt < CALM_MS;
        return this.slow;
    }
}

// Mean seconds that the model took for a frame between two readings of
// /metrics; null when that cannot be said.
export function frameSeconds(before, after) {
    const read = (text, name) => {
        const line = new RegExp(`^moshi_frame_seconds_${name} (\\S+)$`, 'm')
            .exec(text);
        return line ? Number(line[1]) : NaN;
    };
    const n = read(after, 'count') - read(before, 'count');
    const seconds = (read(after, 'sum') - read(before, 'sum')) / n;
    return n > 0 && Number.isFinite(seconds) ? seconds : null;
}

// A frame is 80 ms of sound. Some of that goes for everything else.
export function isMachineSlow(seconds) {
    return seconds !== null && seconds > 0.07;
}
