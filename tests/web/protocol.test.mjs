// Goal: messages of every server are understood, and wishes reach ours.
// Method: the messages that the official programs send, byte by byte.
import assert from 'node:assert/strict';
import {test} from 'node:test';

import {TYPE, chatAddress, plainAddress, readMessage, writeMessage}
    from '../../web/protocol.js';

const message = (...bytes) => readMessage(Uint8Array.from(bytes));
const utf8 = (text) => new TextEncoder().encode(text);

test('both handshakes, of one and of nine bytes', () => {
    assert.equal(message(0).type, TYPE.HANDSHAKE);
    assert.equal(message(0, 0, 0, 0, 0, 0, 0, 0, 0).type, TYPE.HANDSHAKE);
});

test('sound is the rest of its message', () => {
    const m = message(1, 0x4f, 0x67);
    assert.equal(m.type, TYPE.AUDIO);
    assert.deepEqual([...m.payload], [0x4f, 0x67]);
    assert.equal(message(1).payload.length, 0);
});

test('words, coloured or not, and errors', () => {
    assert.deepEqual(message(2, ...utf8(' été')),
        {type: TYPE.TEXT, text: ' été'});
    assert.deepEqual(message(7, 10, ...utf8(' x')),
        {type: TYPE.TEXT, text: ' x'});
    assert.deepEqual(message(5, ...utf8('full')),
        {type: TYPE.ERROR, text: 'full'});
});

test('metadata that cannot be read is none', () => {
    assert.deepEqual(message(4, ...utf8('{"text_topk":25}')).metadata,
        {text_topk: 25});
    for (const text of ['', '{', 'null', '3'])
        assert.deepEqual(message(4, ...utf8(text)).metadata, {});
});

test('what is unknown is passed on by its number', () => {
    assert.deepEqual(message(6), {type: TYPE.PING});
    assert.deepEqual(message(9, 1), {type: 9});
    assert.deepEqual(message(255), {type: 255});
    assert.deepEqual(message(), {type: null});
});

test('a message is its type and its payload', () => {
    assert.deepEqual([...writeMessage(1, Uint8Array.of(5, 6))], [1, 5, 6]);
});

test('the address says what is wished for, and nothing else', () => {
    assert.equal(chatAddress('http://a:8998/', {}), 'ws://a:8998/api/chat');
    assert.equal(chatAddress('https://a/b/?x=1#y', {seed: ''}),
        'wss://a/b/api/chat');
    const address = new URL(chatAddress('http://[::1]:1/', {
        seed: '12', textTemperature: '0.7', textTopK: '25',
        audioTemperature: '0', audioTopK: '250', token: 'a&b =%'}));
    assert.deepEqual(Object.fromEntries(address.searchParams), {
        text_seed: '12', audio_seed: '12', text_temperature: '0.7',
        text_topk: '25', audio_temperature: '0', audio_topk: '250',
        token: 'a&b =%'});
});

test('and can be asked for plainly', () => {
    assert.equal(plainAddress('ws://a:1/api/chat?token=x'),
        'http://a:1/api/chat?token=x');
    assert.equal(plainAddress('wss://a/api/chat'), 'https://a/api/chat');
});
