// Goal: sound passes unharmed, in time, and is kept as it was. Method: tones
// through the resampler; bursts, early and late, through the jitter buffer;
// the bytes of the recording.
import assert from 'node:assert/strict';
import {test} from 'node:test';

import {JitterBuffer} from '../../web/jitter.js';
import {Recording, clock, interleave, wavHeader}
    from '../../web/recording.js';
import {Resampler} from '../../web/resample.js';

const MS = 24;

function tone(hz, rate, n) {
    return Float32Array.from({length: n},
        (_, i) => Math.sin(2 * Math.PI * hz * i / rate));
}

// Decibels of what lies between the two, but for both ends.
function errorDb(a, b) {
    let sum = 0;
    for (let i = 200; i < a.length - 200; i++)
        sum += (a[i] - b[i]) ** 2;
    return 10 * Math.log10(2 * sum / (a.length - 400) + 1e-20);
}

for (const [from, to] of [[48000, 24000], [44100, 24000], [24000, 48000],
    [24000, 44100], [16000, 24000], [96000, 24000], [24000, 24000]]) {
    test(`a tone from ${from} to ${to} Hz stays where it was`, () => {
        const got = new Resampler(from, to).process(tone(1000, from, from));
        assert.ok(Math.abs(got.length - to) < 60);
        assert.ok(errorDb(got, tone(1000, to, got.length)) < -70);
    });

    test(`from ${from} to ${to} Hz in any pieces`, () => {
        const input = tone(300, from, 5000);
        const whole = new Resampler(from, to).process(input);
        const some = new Resampler(from, to);
        const pieces = [];
        for (let at = 0; at < input.length; at += 128)
            pieces.push(...some.process(input.subarray(at, at + 128)));
        assert.deepEqual(pieces, [...whole]);
    });

    test(`from ${from} to ${to} Hz, as many as are asked for`, () => {
        const some = new Resampler(from, to);
        for (let i = 0; i < 100; i++) {
            const need = some.needed(128);
            const got = some.process(new Float32Array(need), 128);
            assert.equal(got.length, 128);
        }
    });
}

test('what 24 kHz cannot hold does not come back as something else', () => {
    const got = new Resampler(48000, 24000).process(tone(15000, 48000, 9600));
    assert.ok(errorDb(got, new Float32Array(got.length)) < -70);
});

// Plays `times` (ms at which frames of 80 ms arrive) in blocks of 128.
function play(times, ms) {
    const buffer = new JitterBuffer();
    const waiting = [...times];
    const heard = [];
    const out = new Float32Array(128);
    let next = 1;
    for (let at = 0; at < ms * MS; at += 128) {
        while (waiting.length > 0 && waiting[0] * MS <= at) {
            waiting.shift();
            buffer.push(new Float32Array(80 * MS).fill(next++));
        }
        buffer.pull(out);
        heard.push(...out);
    }
    return {buffer, heard};
}

const every80 = (n, late = () => 0) => Array.from({length: n},
    (_, i) => 80 * i + late(i));

test('nothing is missed when bursts come in time', () => {
    const {buffer, heard} = play(every80(100), 7900);
    assert.equal(buffer.underruns, 0);
    assert.equal(buffer.missed, 0);
    assert.equal(buffer.skipped, 0);
    const first = heard.findIndex((x) => x > 0);
    assert.ok(first >= 60 * MS && first < 70 * MS, `begins at ${first}`);
    // Each sample once, in its order.
    const sounding = heard.slice(first);
    assert.ok(sounding.every((x, i) => x === Math.floor(i / 80 / MS) + 1));
});

test('what comes 50 ms late is not missed either', () => {
    const {buffer} = play(every80(200, (i) => i % 3 === 1 ? 50 : 0), 15900);
    assert.equal(buffer.underruns, 0);
});

test('a burst that is too late is counted, and the delay grows', () => {
    const late = (i) => i >= 50 ? 500 : 0;
    const {buffer, heard} = play(every80(100, late), 8000);
    assert.equal(buffer.underruns, 1);
    assert.ok(buffer.delay > 60 * MS);
    // 500 ms without sound, less the delay before, plus the one after.
    const silent = heard.slice(70 * MS).filter((x) => x === 0).length;
    assert.ok(Math.abs(buffer.missed - silent) < 10 * MS);
    assert.ok(buffer.missed > 450 * MS && buffer.missed < 650 * MS);
});

test('what waits without need is skipped', () => {
    // A stall of 1 s, after which all that was held back comes at once.
    const late = (i) => Math.max(0, i >= 50 ? 1000 - 80 * (i - 50) : 0);
    const {buffer} = play(every80(300, late), 23900);
    assert.equal(buffer.underruns, 1);
    assert.ok(buffer.skipped > 500 * MS, `${buffer.skipped / MS} ms skipped`);
    assert.ok(buffer.fill < 250 * MS, `${buffer.fill / MS} ms wait`);
    assert.equal(buffer.played + buffer.fill, 299 * 80 * MS);
});

test('silence before the first sound is not missed sound', () => {
    const {buffer} = play([3000], 3050);
    assert.equal(buffer.missed, 0);
    assert.equal(buffer.underruns, 0);
});

test('the head of a recording', () => {
    const head = wavHeader(8, 2, 24000);
    assert.deepEqual(head, Uint8Array.from([
        0x52, 0x49, 0x46, 0x46, 44, 0, 0, 0, 0x57, 0x41, 0x56, 0x45,
        0x66, 0x6d, 0x74, 0x20, 16, 0, 0, 0, 1, 0, 2, 0,
        0xc0, 0x5d, 0, 0, 0, 0x77, 1, 0, 4, 0, 16, 0,
        0x64, 0x61, 0x74, 0x61, 8, 0, 0, 0]));
});

test('both sides beside each other, what is too loud cut', () => {
    assert.deepEqual([...interleave([1, -2], [0, 0.5])],
        [0xff, 0x7f, 0, 0, 0x01, 0x80, 0, 0x40]);
});

test('words make lines; a pause begins a new one', async () => {
    const r = new Recording(new Date('2026-01-02T03:04:05Z'));
    const pass = (ms) => {
        for (let i = 0; i < ms / 40; i++)
            r.sound(new Float32Array(960), new Float32Array(960));
    };
    pass(2000);
    assert.equal(r.words(' My'), true);
    assert.equal(r.words(' name.'), false);
    pass(60000);
    assert.equal(r.words(' Yes.'), true);
    r.metadata = {lm_model_file: 'm', text_seed: '1', audio_seed: '2'};
    assert.equal(await r.transcript().text(),
        'A conversation, 2026-01-02T03:04:05.000Z\nmodel m\n' +
        'seed of words 1, of sound 2\n\n[0:02] My name.\n[1:02] Yes.\n');
    assert.equal(r.name('wav'), 'moshi-20260102-030405.wav');
    assert.equal(r.wav().size, 44 + 62000 * MS * 4);
    assert.equal(clock(3599999), '59:59');
});
