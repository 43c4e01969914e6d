// conversation.js: one conversation, from the microphone to its end.
//
//   duplex-worklet -> OpusSender -> OggWriter -> socket
//   socket -> OggReader -> OpusReceiver -> duplex-worklet
//
// What happens is told to `on`, an object of functions:
//
//   state(name)          'microphone', 'connecting', 'waiting', 'talking'
//   metadata(object)     what the server says of itself
//   words(text)          a fragment to append
//   block(figures)       every 40 ms: both sides' samples, and how it goes
//   ended(problem)       null when it was hung up; called once, last

import {OggReader, OggWriter} from './ogg.js';
import {OpusReceiver, OpusSender, hasOpus} from './opus.js';
import {endProblem, microphoneProblem, problem, refusalProblem}
    from './problems.js';
import {CLOSE, TYPE, chatAddress, plainAddress, readMessage, writeMessage}
    from './protocol.js';

// Servers say something at least every five seconds.
const SILENCE_MS = 12000;
const MS = 24; // samples of a millisecond

// Null, or why this page cannot work here.
export async function obstacle() {
    if (!window.isSecureContext)
        return problem('insecure');
    if (!navigator.mediaDevices?.getUserMedia ||
        typeof AudioWorkletNode === 'undefined' || !await hasOpus())
        return problem('browser');
    return null;
}

function constraints(wishes) {
    const audio = {
        channelCount: 1,
        echoCancellation: wishes.echoCancellation,
        noiseSuppression: wishes.noiseSuppression,
        autoGainControl: true,
    };
    if (wishes.microphone)
        audio.deviceId = {exact: wishes.microphone};
    return {audio};
}

export class Conversation {
    constructor(wishes, on) {
        this.wishes = wishes;
        this.on = on;
        this.over = false;
        this.handshaken = false;
        this.said = '';     // the server's last error
        this.received = 0;  // samples
        this.reader = new OggReader();
        this.muted = false;
    }

    // Within a gesture of the user: browsers want one for sound.
    async start() {
        try {
            this.sound = new AudioContext({latencyHint: 'interactive'});
            this.on.state('microphone');
            if (await this.openMicrophone() && await this.openSound())
                this.connect();
        } catch (error) {
            this.end(problem('page', error.message));
        }
    }

    async openMicrophone() {
        try {
            this.microphone = await navigator.mediaDevices.getUserMedia(
                constraints(this.wishes));
        } catch (error) {
            this.end(microphoneProblem(error));
            return false;
        }
        const [track] = this.microphone.getAudioTracks();
        track.enabled = !this.muted;
        track.onended = () => this.end(problem('unplugged'));
        return !this.stillborn();
    }

    async openSound() {
        await this.sound.resume();
        if (!await this.loadDuplex() || this.stillborn())
            return false;
        this.duplex = new AudioWorkletNode(this.sound, 'duplex', {
            numberOfInputs: 1, numberOfOutputs: 1, outputChannelCount: [1],
            channelCount: 1, channelCountMode: 'explicit',
        });
        this.duplex.port.onmessage = ({data}) => this.block(data);
        this.duplex.onprocessorerror = () =>
            this.end(problem('page', 'the sound stopped'));
        this.source = this.sound.createMediaStreamSource(this.microphone);
        this.source.connect(this.duplex).connect(this.sound.destination);
        const fault = (error) => this.end(problem('codec', error.message));
        this.receiver = new OpusReceiver((samples) => {
            this.received += samples.length;
            this.duplex.port.postMessage({sound: samples},
                [samples.buffer]);
        }, fault);
        this.sender = await OpusSender.open(
            (packet) => this.send(this.writer.packet(packet)), fault);
        return !this.stillborn();
    }

    // A part of the page that is asked of the server once more.
    async loadDuplex() {
        try {
            await this.sound.audioWorklet.addModule('duplex-worklet.js');
            return true;
        } catch (error) {
            const there = await this.ask('healthz') !== null;
            this.end(there ? problem('page', error.message)
                : problem('unreachable'));
            return false;
        }
    }

    // Hung up while something was being opened.
    stillborn() {
        if (this.over)
            this.release();
        return this.over;
    }

    connect() {
        this.on.state('connecting');
        this.address = chatAddress(location.href, this.wishes);
        this.socket = new WebSocket(this.address);
        this.socket.binaryType = 'arraybuffer';
        this.socket.onopen = () => {
            this.opened = true;
            this.on.state('waiting');
        };
        this.socket.onmessage = ({data}) => this.message(data);
        this.socket.onclose = ({code}) => this.closed(code);
    }

    message(data) {
        // Text messages are no part of the protocol.
        if (this.over || !(data instanceof ArrayBuffer))
            return;
        this.watchSilence();
        const message = readMessage(new Uint8Array(data));
        switch (message.type) {
        case TYPE.HANDSHAKE:
            this.begin();
            break;
        case TYPE.AUDIO:
            for (const packet of this.reader.push(message.payload))
                this.receiver.push(packet);
            break;
        case TYPE.TEXT:
            this.on.words(message.text);
            break;
        case TYPE.METADATA:
            this.on.metadata(message.metadata);
            break;
        case TYPE.ERROR:
            this.said = message.text;
            break;
        default:
            break;
        }
    }

    begin() {
        if (this.handshaken)
            return;
        this.handshaken = true;
        this.watchSilence();
        this.writer = new OggWriter(
            crypto.getRandomValues(new Uint32Array(1))[0]);
        for (const page of this.writer.headers())
            this.send(page);
        this.duplex.port.postMessage({begin: true});
        this.on.state('talking');
    }

    send(page) {
        if (this.socket.readyState === WebSocket.OPEN)
            this.socket.send(writeMessage(TYPE.AUDIO, page));
    }

    // A server may be gone without its connection being closed.
    watchSilence() {
        clearTimeout(this.silence);
        if (this.handshaken && !this.over)
            this.silence = setTimeout(() => this.end(problem('lost')),
                SILENCE_MS);
    }

    block(b) {
        if (this.over)
            return;
        this.sender.push(b.heard);
        this.on.block({
            heard: b.heard,
            spoken: b.spoken,
            captured: b.captured / MS,
            received: this.received / MS,
            missed: (b.missed + b.skipped) / MS,
            gaps: b.underruns,
            delay: b.begun ? (b.captured - b.played) / MS +
                this.deviceDelay() : null,
        });
    }

    // Of the loudspeaker's side, ms, as far as the browser tells.
    deviceDelay() {
        const {baseLatency, outputLatency} = this.sound;
        return 1000 * ((baseLatency || 0) + (outputLatency || 0));
    }

    mute(muted) {
        this.muted = muted;
        for (const track of this.microphone?.getAudioTracks() ?? [])
            track.enabled = !muted;
    }

    hangUp() {
        this.end(null);
    }

    async closed(code) {
        if (this.over)
            return;
        if (this.opened) {
            this.end(endProblem(code, this.said));
            return;
        }
        const answer = await this.ask(plainAddress(this.address));
        this.end(refusalProblem(answer, this.wishes.token));
    }

    async ask(address) {
        try {
            const answer = await fetch(address, {cache: 'no-store'});
            return {status: answer.status, text: await answer.text()};
        } catch {
            return null;
        }
    }

    end(why) {
        if (this.over)
            return;
        this.over = true;
        this.release();
        this.on.ended(why);
    }

    release() {
        clearTimeout(this.silence);
        for (const track of this.microphone?.getTracks() ?? []) {
            track.onended = null;
            track.stop();
        }
        this.duplex?.port.postMessage({end: true});
        this.source?.disconnect();
        this.duplex?.disconnect();
        this.sender?.close();
        this.receiver?.close();
        if (this.sound && this.sound.state !== 'closed')
            this.sound.close();
        this.socket?.close(CLOSE.NORMAL);
    }
}
