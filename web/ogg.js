// ogg.js: Opus packets <-> pages of an Ogg stream (RFC 3533, RFC 7845). Pure.
//
// What is written: OpusHead and OpusTags as pages 0 and 1, then one packet a
// page, positions in samples of 48 kHz. What is read: any chunking of any
// such stream, resynchronised at the next page after damage.

const CAPTURE = [0x4f, 0x67, 0x67, 0x53]; // "OggS"
const HEAD_BYTES = 27;
const BODY_BYTES_MAX = 255 * 255;
const CONTINUED = 0x01;
const FIRST = 0x02;

// Polynomial 0x04c11db7, first bit first, nothing inverted.
const crcTable = Uint32Array.from({length: 256}, (_, i) => {
    let c = i << 24;
    for (let bit = 0; bit < 8; bit++)
        c = c & 0x80000000 ? c << 1 ^ 0x04c11db7 : c << 1;
    return c;
});

function crcOf(bytes) {
    let c = 0;
    for (const byte of bytes)
        c = c << 8 ^ crcTable[c >>> 24 ^ byte];
    return c >>> 0;
}

function ascii(text) {
    return Uint8Array.from(text, (letter) => letter.charCodeAt(0));
}

// A page that holds one whole packet of fewer than 65,025 bytes.
export function writePage({packet, flags, granule, serial, sequence}) {
    const full = Math.floor(packet.length / 255);
    if (full >= 255)
        throw new RangeError('the packet does not fit into a page');
    const page = new Uint8Array(HEAD_BYTES + full + 1 + packet.length);
    const view = new DataView(page.buffer);
    page.set(CAPTURE);
    page[5] = flags;
    view.setBigUint64(6, BigInt(granule), true);
    view.setUint32(14, serial, true);
    view.setUint32(18, sequence, true);
    page[26] = full + 1;
    page.fill(255, HEAD_BYTES, HEAD_BYTES + full);
    page[HEAD_BYTES + full] = packet.length % 255;
    page.set(packet, HEAD_BYTES + full + 1);
    view.setUint32(22, crcOf(page), true);
    return page;
}

function opusHead() {
    const head = new Uint8Array(19);
    const view = new DataView(head.buffer);
    head.set(ascii('OpusHead'));
    head[8] = 1; // version
    head[9] = 1; // channels
    view.setUint16(10, 3840, true); // as the official programs say
    view.setUint32(12, 48000, true);
    return head;
}

function opusTags(vendor) {
    const name = ascii(vendor);
    const tags = new Uint8Array(16 + name.length);
    tags.set(ascii('OpusTags'));
    new DataView(tags.buffer).setUint32(8, name.length, true);
    tags.set(name, 12);
    return tags;
}

export class OggWriter {
    constructor(serial, vendor = 'moshi.c') {
        this.serial = serial >>> 0;
        this.vendor = vendor;
        this.sequence = 0;
        this.granule = 0;
    }

    page(packet, flags) {
        const {granule, serial, sequence} = this;
        this.sequence++;
        return writePage({packet, flags, granule, serial, sequence});
    }

    // Both pages in front of the sound, to be sent once, first.
    headers() {
        return [this.page(opusHead(), FIRST),
            this.page(opusTags(this.vendor), 0)];
    }

    packet(bytes) {
        this.granule += packetSamples(bytes);
        return this.page(bytes, 0);
    }
}

// How long a packet is, in samples of 48 kHz: RFC 6716, section 3.1. 0 for one
// that cannot be.
export function packetSamples(packet) {
    if (packet.length === 0)
        return 0;
    const config = packet[0] >> 3;
    const count = [1, 2, 2, packet.length > 1 ? packet[1] & 63 : 0];
    let frame; // in units of 2.5 ms
    if (config < 12)
        frame = [4, 8, 16, 24][config & 3];
    else if (config < 16)
        frame = [4, 8][config & 1];
    else
        frame = [1, 2, 4, 8][config & 3];
    return frame * 120 * count[packet[0] & 3];
}

function startsWith(bytes, text) {
    return bytes.length >= text.length &&
        [...text].every((letter, i) => bytes[i] === letter.charCodeAt(0));
}

function joined(a, b) {
    const both = new Uint8Array(a.length + b.length);
    both.set(a);
    both.set(b, a.length);
    return both;
}

function findCapture(bytes, from) {
    for (let i = from; i < bytes.length; i++) {
        let n = 0;
        while (n < 4 && i + n < bytes.length && bytes[i + n] === CAPTURE[n])
            n++;
        if (n === 4 || i + n === bytes.length)
            return i; // whole, or perhaps cut off by the end
    }
    return bytes.length;
}

export class OggReader {
    constructor() {
        this.rest = new Uint8Array(0); // no whole page yet
        this.begun = null;             // a packet that a later page ends
        this.damaged = 0;              // pages and stretches passed over
    }

    // Audio packets (neither head nor tags) that these bytes complete.
    push(bytes) {
        const packets = [];
        let data = this.rest.length > 0 ? joined(this.rest, bytes) : bytes;
        for (;;) {
            const at = findCapture(data, 0);
            if (at > 0)
                this.lose();
            data = data.subarray(at);
            const length = this.pageLength(data);
            if (length === 0)
                break;
            if (this.intact(data.subarray(0, length))) {
                this.take(data.subarray(0, length), packets);
                data = data.subarray(length);
            } else {
                this.lose();
                data = data.subarray(findCapture(data, 1));
            }
        }
        this.rest = data.slice();
        return packets;
    }

    lose() {
        this.damaged++;
        this.begun = null;
    }

    // 0 while the page is not whole.
    pageLength(data) {
        if (data.length < HEAD_BYTES)
            return 0;
        const head = HEAD_BYTES + data[26];
        if (data.length < head)
            return 0;
        let length = head;
        for (let i = HEAD_BYTES; i < head; i++)
            length += data[i];
        return data.length < length ? 0 : length;
    }

    intact(page) {
        const copy = page.slice();
        const view = new DataView(copy.buffer);
        const said = view.getUint32(22, true);
        view.setUint32(22, 0, true);
        return copy[4] === 0 && crcOf(copy) === said;
    }

    take(page, packets) {
        const n = page[26];
        let at = HEAD_BYTES + n;
        let from = at;
        let skip = false;
        if ((page[5] & CONTINUED) === 0)
            this.begun = null;
        else if (this.begun === null)
            skip = true; // the beginning was lost
        for (let i = 0; i < n; i++) {
            at += page[HEAD_BYTES + i];
            if (page[HEAD_BYTES + i] === 255)
                continue;
            if (!skip)
                this.end(page.subarray(from, at), packets);
            skip = false;
            from = at;
        }
        if (n > 0 && page[HEAD_BYTES + n - 1] === 255 && !skip)
            this.begun = joined(this.begun ?? new Uint8Array(0),
                page.subarray(from, at));
        // No packet of Opus is that long.
        if (this.begun !== null && this.begun.length > BODY_BYTES_MAX)
            this.lose();
    }

    end(bytes, packets) {
        const packet = this.begun === null ? bytes.slice()
            : joined(this.begun, bytes);
        this.begun = null;
        if (packet.length > 0 && !startsWith(packet, 'OpusHead') &&
            !startsWith(packet, 'OpusTags'))
            packets.push(packet);
    }
}
