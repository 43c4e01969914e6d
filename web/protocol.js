// protocol.js: the messages of /api/chat: bytes <-> meaning, and the address
// that says what one wishes for. Pure: no socket, no page.

export const TYPE = Object.freeze({
    HANDSHAKE: 0,
    AUDIO: 1,
    TEXT: 2,
    CONTROL: 3,
    METADATA: 4,
    ERROR: 5,
    PING: 6,
    COLORED_TEXT: 7,
});

// Closing codes of RFC 6455 and of its registry.
export const CLOSE = Object.freeze({
    NORMAL: 1000,
    GOING_AWAY: 1001,
    LOST: 1006,
    POLICY: 1008,
    TOO_BIG: 1009,
    FAULT: 1011,
    TRY_LATER: 1013,
});

const utf8 = new TextDecoder();

function metadataOf(bytes) {
    try {
        const object = JSON.parse(utf8.decode(bytes));
        return object && typeof object === 'object' ? object : {};
    } catch {
        return {};
    }
}

// A message's type (null for one without a byte) and what it holds: `payload`
// of audio, `text` of words and errors, `metadata`. Unknown types are passed
// on with their number; whoever reads them passes over them.
export function readMessage(bytes) {
    if (bytes.length === 0)
        return {type: null};
    const type = bytes[0];
    const payload = bytes.subarray(1);
    switch (type) {
    case TYPE.AUDIO:
        return {type, payload};
    case TYPE.TEXT:
    case TYPE.ERROR:
        return {type, text: utf8.decode(payload)};
    case TYPE.COLORED_TEXT: // MoshiVis puts a colour first
        return {type: TYPE.TEXT, text: utf8.decode(payload.subarray(1))};
    case TYPE.METADATA:
        return {type, metadata: metadataOf(payload)};
    default:
        return {type};
    }
}

export function writeMessage(type, payload) {
    const message = new Uint8Array(1 + payload.length);
    message[0] = type;
    message.set(payload, 1);
    return message;
}

// The keys of the official server; what is empty is left to the server's own
// choice. One seed of the page is the seed of both words and sound.
export function chatAddress(page, wishes) {
    const address = new URL('api/chat', page);
    address.protocol = address.protocol === 'https:' ? 'wss:' : 'ws:';
    address.hash = '';
    const query = {
        text_temperature: wishes.textTemperature,
        text_topk: wishes.textTopK,
        audio_temperature: wishes.audioTemperature,
        audio_topk: wishes.audioTopK,
        text_seed: wishes.seed,
        audio_seed: wishes.seed,
        token: wishes.token,
    };
    for (const [key, value] of Object.entries(query))
        if (value !== undefined && value !== null && value !== '')
            address.searchParams.set(key, value);
    return address.href;
}

// The same address for a plain request, whose answer says why not.
export function plainAddress(chat) {
    return chat.replace(/^ws/, 'http');
}
