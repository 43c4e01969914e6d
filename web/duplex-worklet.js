// duplex-worklet.js: the sound's own thread: the microphone's samples out, the
// other side's in, in one step of one clock, so that both sides of a recording
// lie right beside each other.
//
//   microphone -> Resampler -> 24 kHz, blocks of 40 ms -> the page
//   the page -> JitterBuffer -> Resampler -> loudspeaker
//                     `-> what was heard, for the recording

import {JitterBuffer} from './jitter.js';
import {Resampler} from './resample.js';

const RATE = 24000;
const BLOCK = 960;

// Samples that are taken out in blocks.
class Blocks {
    constructor() {
        this.data = new Float32Array(4 * BLOCK);
        this.count = 0;
    }

    push(samples) {
        if (this.count + samples.length > this.data.length) {
            const larger = new Float32Array(2 * (this.count +
                samples.length));
            larger.set(this.data.subarray(0, this.count));
            this.data = larger;
        }
        this.data.set(samples, this.count);
        this.count += samples.length;
    }

    take() {
        const block = this.data.slice(0, BLOCK);
        this.data.copyWithin(0, BLOCK, this.count);
        this.count -= BLOCK;
        return block;
    }
}

class Duplex extends AudioWorkletProcessor {
    constructor() {
        super();
        this.talking = false;
        this.ended = false;
        this.port.onmessage = ({data}) => this.told(data);
    }

    told(message) {
        if (message.begin) {
            this.toModel = new Resampler(sampleRate, RATE);
            this.toEar = new Resampler(RATE, sampleRate);
            this.buffer = new JitterBuffer();
            this.heard = new Blocks();
            this.spoken = new Blocks();
            this.captured = 0;
            this.talking = true;
        } else if (message.sound && this.talking) {
            this.buffer.push(message.sound);
        } else if (message.end) {
            this.talking = false;
            this.ended = true;
        }
    }

    process(inputs, outputs) {
        if (!this.talking)
            return !this.ended;
        const out = outputs[0][0];
        // Without a channel while the source gives nothing.
        const input = inputs[0][0] ?? new Float32Array(out.length);
        const heard = this.toModel.process(input);
        this.captured += heard.length;
        this.heard.push(heard);
        const spoken = new Float32Array(this.toEar.needed(out.length));
        this.buffer.pull(spoken);
        this.spoken.push(spoken);
        out.set(this.toEar.process(spoken, out.length));
        for (const channel of outputs[0].slice(1))
            channel.set(out);
        while (this.heard.count >= BLOCK && this.spoken.count >= BLOCK)
            this.post();
        return true;
    }

    post() {
        const b = this.buffer;
        const heard = this.heard.take();
        const spoken = this.spoken.take();
        this.port.postMessage({
            heard, spoken, captured: this.captured, played: b.played,
            waiting: b.fill, underruns: b.underruns, missed: b.missed,
            skipped: b.skipped, begun: b.begun,
        }, [heard.buffer, spoken.buffer]);
    }
}

registerProcessor('duplex', Duplex);
