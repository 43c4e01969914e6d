// recording.js: what is left of a conversation: its sound, both sides beside
// each other, and its words. Pure, but for the making of Blobs.

const RATE = 24000;
const HEADER_BYTES = 44;
const PAUSE_MS = 1500; // between words: a new line

export function wavHeader(dataBytes, channels, rate) {
    const view = new DataView(new ArrayBuffer(HEADER_BYTES));
    const text = (at, letters) => [...letters].forEach((letter, i) =>
        view.setUint8(at + i, letter.charCodeAt(0)));
    text(0, 'RIFF');
    view.setUint32(4, HEADER_BYTES - 8 + dataBytes, true);
    text(8, 'WAVEfmt ');
    view.setUint32(16, 16, true);
    view.setUint16(20, 1, true); // PCM
    view.setUint16(22, channels, true);
    view.setUint32(24, rate, true);
    view.setUint32(28, rate * channels * 2, true);
    view.setUint16(32, channels * 2, true);
    view.setUint16(34, 16, true);
    text(36, 'data');
    view.setUint32(40, dataBytes, true);
    return new Uint8Array(view.buffer);
}

// Left: the microphone. Right: the model, as it was heard, gaps and all. 16
// bits, little end first.
export function interleave(heard, spoken) {
    const view = new DataView(new ArrayBuffer(heard.length * 4));
    const put = (at, x) => view.setInt16(at, Math.round(
        Math.max(-1, Math.min(1, x)) * 32767), true);
    for (let i = 0; i < heard.length; i++) {
        put(4 * i, heard[i]);
        put(4 * i + 2, spoken[i]);
    }
    return new Uint8Array(view.buffer);
}

export function clock(ms) {
    const seconds = Math.floor(ms / 1000);
    return `${Math.floor(seconds / 60)}:` +
        String(seconds % 60).padStart(2, '0');
}

export class Recording {
    constructor(begun = new Date()) {
        this.begun = begun;
        this.metadata = {};
        this.parts = []; // of the sound
        this.bytes = 0;
        this.lines = []; // {ms, text}
        this.lastWord = -Infinity;
    }

    sound(heard, spoken) {
        const part = interleave(heard, spoken);
        this.parts.push(part);
        this.bytes += part.length;
    }

    // How much there is of it.
    get ms() {
        return this.bytes / 4 / RATE * 1000;
    }

    // Appends a fragment; true when it begins a line.
    words(text) {
        const ms = this.ms;
        const begins = this.lines.length === 0 ||
            ms - this.lastWord > PAUSE_MS;
        if (begins)
            this.lines.push({ms, text: text.trimStart()});
        else
            this.lines.at(-1).text += text;
        this.lastWord = ms;
        return begins;
    }

    wav() {
        return new Blob([wavHeader(this.bytes, 2, RATE), ...this.parts],
            {type: 'audio/wav'});
    }

    transcript() {
        const m = this.metadata;
        const head = [`A conversation, ${this.begun.toISOString()}`];
        if (m.lm_model_file)
            head.push(`model ${m.lm_model_file}`);
        if (m.text_seed !== undefined)
            head.push(`seed of words ${m.text_seed}, ` +
                `of sound ${m.audio_seed}`);
        const lines = this.lines.map((line) =>
            `[${clock(line.ms)}] ${line.text.trim()}`);
        return new Blob([[...head, '', ...lines, ''].join('\n')],
            {type: 'text/plain;charset=utf-8'});
    }

    name(ending) {
        const when = this.begun.toISOString().slice(0, 19)
            .replace(/[-:]/g, '').replace('T', '-');
        return `moshi-${when}.${ending}`;
    }
}
