// Goal: pages are what the official programs write and read. Method: the byte
// vectors that were computed from their rules; what is written is read again,
// in any chunks, whole and damaged.
import assert from 'node:assert/strict';
import {test} from 'node:test';

import {OggReader, OggWriter, packetSamples, writePage}
    from '../../web/ogg.js';

const bytes = (hex) => Uint8Array.from(hex.trim().split(/\s+/),
    (two) => parseInt(two, 16));

const HEAD = bytes(`
4f 67 67 53 00 02 00 00 00 00 00 00 00 00 2a 00 00 00 00 00 00 00 ae fe f3 f1
01 13 4f 70 75 73 48 65 61 64 01 01 00 0f 80 bb 00 00 00 00 00`);
const TAGS = bytes(`
4f 67 67 53 00 00 00 00 00 00 00 00 00 00 2a 00 00 00 01 00 00 00 4b 3c 01 71
01 1b 4f 70 75 73 54 61 67 73 0b 00 00 00 4b 79 75 74 61 69 4d 6f 73 68 69 00
00 00 00`);

// Packets of 40 ms (config 6, one frame) whose bytes tell them apart.
function packetsOf(lengths) {
    return lengths.map((n, k) => Uint8Array.from({length: n},
        (_, i) => i === 0 ? 6 << 3 | 0 : (i * 7 + k) & 255));
}

function joined(parts) {
    return Uint8Array.from(parts.flatMap((part) => [...part]));
}

function streamOf(packets) {
    const writer = new OggWriter(7);
    return joined([...writer.headers(),
        ...packets.map((packet) => writer.packet(packet))]);
}

function readIn(stream, size) {
    const reader = new OggReader();
    const packets = [];
    for (let at = 0; at < stream.length; at += size)
        packets.push(...reader.push(stream.subarray(at, at + size)));
    return {reader, packets};
}

test('the pages of heads are those of the official servers', () => {
    const [head, tags] = new OggWriter(42, 'KyutaiMoshi').headers();
    assert.deepEqual(head, HEAD);
    assert.deepEqual(tags, TAGS);
});

test('sound begins at page 2, in positions of 48 kHz', () => {
    const writer = new OggWriter(42);
    writer.headers();
    for (const [sequence, granule] of [[2, 1920], [3, 3840]]) {
        const page = writer.packet(packetsOf([100])[0]);
        const view = new DataView(page.buffer);
        assert.equal(view.getUint32(18, true), sequence);
        assert.equal(view.getBigUint64(6, true), BigInt(granule));
        assert.equal(page[5], 0);
    }
});

test('what is written is read, however it is cut', () => {
    const packets = packetsOf([1, 2, 254, 255, 256, 510, 511, 1275, 3000]);
    const stream = streamOf(packets);
    for (const size of [1, 2, 3, 27, 28, 100, 1000, stream.length]) {
        const {reader, packets: got} = readIn(stream, size);
        assert.deepEqual(got, packets, `in chunks of ${size}`);
        assert.equal(reader.damaged, 0);
    }
});

test('a packet over several pages, and several in one', () => {
    // 300 bytes: 255 on page 2, 45 on page 3, where one of 10 follows.
    const [long, short] = packetsOf([300, 10]);
    const first = writePage({packet: long.subarray(0, 255), flags: 0,
        granule: 0, serial: 7, sequence: 2}).slice();
    // A lacing value of 255 alone: the packet goes on.
    const open = joined([first.subarray(0, 26), [1, 255],
        first.subarray(29)]);
    const last = writePage({packet: long.subarray(255), flags: 1, granule: 0,
        serial: 7, sequence: 3});
    const both = joined([last.subarray(0, 26), [2, 45, 10],
        last.subarray(28), short]);
    const reader = new OggReader();
    const got = [...reader.push(withCrc(open)), ...reader.push(withCrc(both))];
    assert.deepEqual(got, [long, short]);
});

// The checksum as it is defined, bit by bit; not the code under test.
function withCrc(page) {
    const out = page.slice();
    out.fill(0, 22, 26);
    let c = 0n;
    for (const byte of out) {
        c ^= BigInt(byte) << 24n;
        for (let bit = 0; bit < 8; bit++)
            c = c & 0x80000000n ? (c << 1n ^ 0x104c11db7n) : c << 1n;
    }
    new DataView(out.buffer).setUint32(22, Number(c), true);
    return out;
}

test('the other checksum agrees with the vector', () => {
    assert.deepEqual(withCrc(HEAD), HEAD);
});

test('damage costs its own page only', () => {
    const packets = packetsOf([100, 100, 100]);
    const stream = streamOf(packets);
    const at = stream.length - 150; // within the second of the three
    stream[at] ^= 0x10;
    for (const size of [1, 64, stream.length]) {
        const {reader, packets: got} = readIn(stream, size);
        assert.deepEqual(got, [packets[0], packets[2]]);
        assert.ok(reader.damaged > 0);
    }
});

test('garbage in front and between is passed over', () => {
    const packets = packetsOf([50, 60]);
    const garbage = Uint8Array.from({length: 500}, (_, i) => i * 37 & 255);
    const stream = joined([garbage, streamOf(packets), [0x4f, 0x67, 0x67]]);
    for (const size of [1, 7, 5000])
        assert.deepEqual(readIn(stream, size).packets, packets);
});

test('garbage is never kept for ever', () => {
    const reader = new OggReader();
    const garbage = new Uint8Array(10000).fill(0x4f);
    for (let i = 0; i < 100; i++)
        reader.push(garbage);
    assert.ok(reader.rest.length < 70000);
});

test('how long packets are', () => {
    const of = (config, code, second) => packetSamples(
        Uint8Array.from([config << 3 | code, second ?? 0]));
    assert.deepEqual([0, 1, 2, 3].map((c) => of(c, 0)),
        [480, 960, 1920, 2880]);                    // SILK
    assert.deepEqual([12, 13].map((c) => of(c, 0)), [480, 960]); // hybrid
    assert.deepEqual([28, 29, 30, 31].map((c) => of(c, 0)),
        [120, 240, 480, 960]);                      // CELT
    assert.equal(of(31, 1), 1920);
    assert.equal(of(31, 2), 1920);
    assert.equal(of(31, 3, 3), 2880);
    assert.equal(packetSamples(new Uint8Array(0)), 0);
});
