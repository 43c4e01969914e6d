// resample.js: one rate of samples to another, as a stream. Pure.
//
// y[n] = sum over k of x[k] h(n from/to - k): h is a sinc that ends below the
// lower of the two Nyquist frequencies, under a Kaiser window; its values are
// made once for each of the phases in which n from/to can lie.

const CROSSINGS = 16;  // of the sinc, on each side
const PASS = 0.94;     // of the lower Nyquist frequency
const KAISER = 8;      // stop band below -80 dB

function gcd(a, b) {
    return b === 0 ? a : gcd(b, a % b);
}

function bessel0(x) {
    let sum = 1;
    let term = 1;
    for (let k = 1; term > 1e-12 * sum; k++) {
        term *= (x / (2 * k)) ** 2;
        sum += term;
    }
    return sum;
}

function sinc(x) {
    return x === 0 ? 1 : Math.sin(Math.PI * x) / (Math.PI * x);
}

export class Resampler {
    constructor(from, to) {
        const common = gcd(from, to);
        this.up = to / common;     // phases
        this.down = from / common; // of them, a step of the output
        const cut = PASS * Math.min(1, to / from);
        this.half = Math.ceil(CROSSINGS / cut); // inputs on each side
        this.taps = 2 * this.half;
        this.table = this.phases(cut);
        this.reset();
    }

    phases(cut) {
        const table = new Float32Array(this.up * this.taps);
        for (let p = 0; p < this.up; p++)
            for (let k = 0; k < this.taps; k++) {
                const x = k - this.half + 1 - p / this.up;
                const window = 1 - (x / this.half) ** 2;
                table[p * this.taps + k] = window <= 0 ? 0
                    : cut * sinc(cut * x) *
                      bessel0(KAISER * Math.sqrt(window)) / bessel0(KAISER);
            }
        return table;
    }

    reset() {
        // Silence before the first sample.
        this.held = new Float32Array(this.half - 1);
        this.phase = 0;
    }

    // How many samples of input the next `count` of output still need.
    needed(count) {
        const last = this.phase + (count - 1) * this.down;
        const end = Math.floor(last / this.up) + this.taps;
        return Math.max(0, end - this.held.length);
    }

    // Takes all of the input; returns what of the output it completes, at most
    // `max` samples.
    process(input, max = Infinity) {
        const {up, down, taps, table} = this;
        const data = new Float32Array(this.held.length + input.length);
        data.set(this.held);
        data.set(input, this.held.length);
        const whole = data.length < taps ? 0
            : Math.ceil(((data.length - taps + 1) * up - this.phase) / down);
        const output = new Float32Array(Math.max(0, Math.min(whole, max)));
        for (let n = 0; n < output.length; n++) {
            const at = Math.floor(this.phase / up);
            const row = this.phase % up * taps;
            let sum = 0;
            for (let k = 0; k < taps; k++)
                sum += data[at + k] * table[row + k];
            output[n] = sum;
            this.phase += down;
        }
        const used = Math.min(Math.floor(this.phase / up), data.length);
        this.phase -= used * up;
        this.held = data.slice(used);
        return output;
    }
}
