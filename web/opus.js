// opus.js: the browser's own Opus (WebCodecs), packet by packet. The one file
// that touches AudioEncoder and AudioDecoder.

import {Resampler} from './resample.js';

const RATE = 24000;
const PACKET_US = 40000;

const ENCODING = {
    codec: 'opus', sampleRate: RATE, numberOfChannels: 1, bitrate: 32000,
};
const DECODING = {codec: 'opus', sampleRate: RATE, numberOfChannels: 1};
const PACKETS = {frameDuration: PACKET_US, application: 'voip'};

// What to encode with, or null when this browser has no Opus.
async function encoding() {
    for (const wish of [{...ENCODING, opus: PACKETS}, ENCODING]) {
        try {
            if ((await AudioEncoder.isConfigSupported(wish)).supported)
                return wish;
        } catch {
            // An older browser may not know the wish itself.
        }
    }
    return null;
}

export async function hasOpus() {
    if (typeof AudioEncoder === 'undefined' ||
        typeof AudioDecoder === 'undefined')
        return false;
    try {
        const able = await AudioDecoder.isConfigSupported(DECODING);
        return able.supported && await encoding() !== null;
    } catch {
        return false;
    }
}

// Samples at 24 kHz in, packets out, to `onPacket`.
export class OpusSender {
    static async open(onPacket, onFault) {
        const sender = new OpusSender();
        sender.time = 0;
        sender.encoder = new AudioEncoder({
            output(chunk) {
                const packet = new Uint8Array(chunk.byteLength);
                chunk.copyTo(packet);
                onPacket(packet);
            },
            error: onFault,
        });
        sender.encoder.configure(await encoding());
        return sender;
    }

    push(samples) {
        if (this.encoder.state !== 'configured')
            return;
        const sound = new AudioData({
            format: 'f32-planar', sampleRate: RATE, numberOfChannels: 1,
            numberOfFrames: samples.length, timestamp: this.time,
            data: samples,
        });
        this.time += samples.length * 1e6 / RATE;
        this.encoder.encode(sound);
        sound.close();
    }

    close() {
        if (this.encoder.state !== 'closed')
            this.encoder.close();
    }
}

// Packets in, samples at 24 kHz out, to `onSound`. A packet that cannot be
// decoded costs its own sound only.
export class OpusReceiver {
    constructor(onSound, onFault) {
        this.onSound = onSound;
        this.onFault = onFault;
        this.time = 0;
        this.faults = 0;
        this.open();
    }

    open() {
        this.resampler = null;
        this.decoder = new AudioDecoder({
            output: (sound) => this.decoded(sound),
            error: (fault) => this.failed(fault),
        });
        this.decoder.configure(DECODING);
    }

    push(packet) {
        if (this.decoder.state !== 'configured')
            return;
        this.decoder.decode(new EncodedAudioChunk({
            type: 'key', timestamp: this.time, data: packet,
        }));
        this.time += PACKET_US; // only its order matters
    }

    decoded(sound) {
        const samples = new Float32Array(sound.numberOfFrames);
        sound.copyTo(samples, {planeIndex: 0, format: 'f32-planar'});
        const rate = sound.sampleRate;
        sound.close();
        this.faults = 0;
        if (rate === RATE) {
            this.onSound(samples);
            return;
        }
        // Browsers decode to 48 kHz, whatever they are asked for.
        if (this.resampler === null || this.rate !== rate) {
            this.rate = rate;
            this.resampler = new Resampler(rate, RATE);
        }
        this.onSound(this.resampler.process(samples));
    }

    failed(fault) {
        this.faults++;
        if (this.faults > 20)
            this.onFault(fault);
        else
            this.open();
    }

    close() {
        if (this.decoder.state !== 'closed')
            this.decoder.close();
    }
}
