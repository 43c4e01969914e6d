// duet.js: both voices' levels of the last seconds, on one line of time: you
// above it, Moshi below.

const BAR_MS = 80;
const BAR = 3;      // CSS pixels
const STEP = 6;
const BLOCKS = 2;   // of 40 ms, in a bar
const QUIET_DB = -55;
const LOUD_DB = -8;

// Root mean square of samples, as a height: 0 … 1.
export function height(samples) {
    let sum = 0;
    for (const x of samples)
        sum += x * x;
    const db = 10 * Math.log10(sum / samples.length + 1e-12);
    const part = (db - QUIET_DB) / (LOUD_DB - QUIET_DB);
    return Math.max(0, Math.min(1, part)) ** 1.5;
}

export class Duet {
    constructor(canvas) {
        this.canvas = canvas;
        this.bars = []; // {you, moshi}, the newest last
        this.count = 0; // of blocks in the newest
        this.at = 0;    // when that began
        this.running = false;
        this.calm = matchMedia('(prefers-reduced-motion: reduce)');
        new ResizeObserver(() => this.fit()).observe(canvas);
        matchMedia('(prefers-color-scheme: dark)')
            .addEventListener('change', () => this.fit());
        this.fit();
    }

    fit() {
        const scale = window.devicePixelRatio || 1;
        const {clientWidth, clientHeight} = this.canvas;
        this.canvas.width = Math.round(clientWidth * scale);
        this.canvas.height = Math.round(clientHeight * scale);
        const style = getComputedStyle(document.documentElement);
        const color = (name) => style.getPropertyValue(name).trim();
        this.colors = {you: color('--you'), moshi: color('--moshi'),
            line: color('--line')};
        this.draw();
    }

    begin() {
        this.bars = [];
        this.count = BLOCKS;
        this.running = true;
        const turn = () => {
            this.draw();
            if (this.running)
                requestAnimationFrame(turn);
        };
        requestAnimationFrame(turn);
    }

    end() {
        this.running = false;
    }

    block(heard, spoken) {
        if (this.count === BLOCKS) {
            this.bars.push({you: 0, moshi: 0});
            if (this.bars.length > 600)
                this.bars.splice(0, 300);
            this.count = 0;
            this.at = performance.now();
        }
        const bar = this.bars.at(-1);
        bar.you = Math.max(bar.you, height(heard));
        bar.moshi = Math.max(bar.moshi, height(spoken));
        this.count++;
    }

    draw() {
        const {canvas, bars, colors} = this;
        const scale = window.devicePixelRatio || 1;
        const pen = canvas.getContext('2d');
        const width = canvas.width / scale;
        const middle = canvas.height / scale / 2;
        const shift = this.running && !this.calm.matches
            ? Math.min(1, (performance.now() - this.at) / BAR_MS) : 1;
        pen.setTransform(scale, 0, 0, scale, 0, 0);
        pen.clearRect(0, 0, width, 2 * middle);
        pen.lineWidth = BAR;
        pen.lineCap = 'round';
        const room = middle - BAR - 2;
        for (let i = 0; i * STEP < width + STEP; i++) {
            const x = width - (i + shift) * STEP + STEP - BAR / 2 - 1;
            const bar = bars[bars.length - 1 - i];
            this.stroke(pen, x, middle - 3, -room * (bar?.you ?? 0),
                bar ? colors.you : colors.line);
            this.stroke(pen, x, middle + 3, room * (bar?.moshi ?? 0),
                bar ? colors.moshi : colors.line);
        }
    }

    stroke(pen, x, y, length, color) {
        // What is next to nothing is a faint dot.
        const faint = Math.abs(length) < 1.5;
        pen.globalAlpha = faint && color !== this.colors.line ? 0.35 : 1;
        pen.strokeStyle = color;
        pen.beginPath();
        pen.moveTo(x, y);
        pen.lineTo(x, faint ? y + 0.01 : y + length);
        pen.stroke();
        pen.globalAlpha = 1;
    }
}
