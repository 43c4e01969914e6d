// app.js: the page: what it shows, and what its buttons do.

import {Conversation, obstacle} from './conversation.js';
import {Duet} from './duet.js';
import {Pace, frameSeconds, isMachineSlow} from './pace.js';
import {problem} from './problems.js';
import {Recording, clock} from './recording.js';
import {Settings} from './settings.js';

const SILENT_MS = 8000; // a microphone that gives nothing
const READ_OUT_MS = 700;
const STATES = {
    ready: ['Ready', 'Start talking'],
    unable: ['Not possible here', 'Start talking'],
    microphone: ['Asking for the microphone', 'Cancel'],
    connecting: ['Connecting', 'Cancel'],
    waiting: ['Waiting for the server', 'Cancel'],
    talking: ['Connected', 'Hang up'],
    failed: ['Not connected', 'Try again'],
    ended: ['Ended', 'Talk again'],
};

const at = (id) => document.getElementById(id);
const duet = new Duet(at('levels'));
const settings = new Settings(at('settings'), at('settings-open'));

let conversation = null;
let recording = null;
let pace = null;
let warned = null;     // the id of the warning that is shown
let soundHeardAt = 0;  // ms of the conversation
let awake = null;      // the lock that keeps a phone's screen on
let unread = '';       // words not yet given to screen readers
let reading = 0;

function showState(name) {
    const [state, label] = STATES[name];
    document.body.dataset.state = name;
    at('state').textContent = state;
    at('talk').textContent = label;
    at('talk').disabled = name === 'unable';
    at('mute').disabled = name !== 'talking';
}

// null: nothing is wrong.
function showProblem(p) {
    const box = at('problem');
    warned = null;
    box.replaceChildren();
    box.removeAttribute('data-problem');
    if (p === null)
        return;
    const title = document.createElement('strong');
    const advice = document.createElement('p');
    const card = document.createElement('div');
    title.textContent = `${p.title}.`;
    advice.textContent = p.detail ? `${p.advice} (${p.detail})` : p.advice;
    card.append(title, advice);
    box.dataset.problem = p.id;
    box.append(card);
}

// What may pass; shown until it has.
function warn(p) {
    if (warned === (p?.id ?? null))
        return;
    showProblem(p);
    warned = p?.id ?? null;
}

// --- words ---

function readOut() {
    clearTimeout(reading);
    if (!unread.trim())
        return;
    const line = document.createElement('p');
    line.textContent = unread.trim();
    unread = '';
    at('spoken').append(line);
    while (at('spoken').childElementCount > 20)
        at('spoken').firstElementChild.remove();
}

// Screen readers get sentences, not fragments.
function queueReading(text) {
    unread += text;
    clearTimeout(reading);
    if (/[.?!…]\s*$/.test(unread))
        readOut();
    else
        reading = setTimeout(readOut, READ_OUT_MS);
}

function newLine(ms) {
    const line = document.createElement('li');
    const time = document.createElement('time');
    time.textContent = clock(ms);
    line.append(time, document.createElement('p'));
    at('lines').append(line);
}

function showWords(text) {
    if (!text)
        return;
    const box = at('scroll');
    const following = box.scrollHeight - box.scrollTop - box.clientHeight <
        60;
    const begins = recording.words(text);
    if (begins)
        newLine(recording.lines.at(-1).ms);
    at('lines').hidden = false;
    at('welcome').hidden = true;
    const word = document.createElement('span');
    word.textContent = begins ? text.trimStart() : text;
    at('lines').lastElementChild.lastElementChild.append(word);
    if (following)
        box.scrollTop = box.scrollHeight;
    queueReading(text);
}

// --- figures ---

let shown = 0;

function duration(ms) {
    return ms < 1000 ? `${Math.round(ms)} ms` : `${(ms / 1000).toFixed(1)} s`;
}

function showFigures(block) {
    // Four times a second is enough to read.
    if (block.captured - shown < 250)
        return;
    shown = block.captured;
    at('time').textContent = clock(block.captured);
    if (block.delay !== null)
        at('delay').textContent = duration(Math.round(block.delay / 10) * 10);
    at('missed').textContent = duration(block.missed);
    at('missed').dataset.gaps = block.gaps;
    at('gaps').textContent = ['', ', 1 gap'][block.gaps] ??
        `, ${block.gaps} gaps`;
}

async function readMetrics() {
    const {token} = settings.values();
    const query = token ? `?token=${encodeURIComponent(token)}` : '';
    const answer = await fetch(`metrics${query}`, {cache: 'no-store'});
    return answer.ok ? answer.text() : '';
}

// Ask the server who is too slow.
async function explainSlowness() {
    const mine = conversation;
    let seconds = null;
    warn(problem('slow'));
    try {
        const before = await readMetrics();
        await new Promise((done) => setTimeout(done, 2000));
        seconds = frameSeconds(before, await readMetrics());
    } catch {
        // It does not tell.
    }
    if (conversation !== mine || warned !== 'slow' || seconds === null)
        return;
    const machine = isMachineSlow(seconds);
    const p = problem(machine ? 'slowMachine' : 'slowNetwork');
    warn({...p, advice: `${p.advice} A frame of 80 ms takes the machine ` +
        `${Math.round(seconds * 1000)} ms.`});
}

// Even a silent room is louder than one step of 16 bits.
function isSound(samples) {
    return samples.some((x) => Math.abs(x) > 2 ** -15);
}

function watch(block) {
    const slowIsShown = warned !== null && warned.startsWith('slow');
    if (isSound(block.heard) || conversation.muted)
        soundHeardAt = block.captured;
    if (pace.look(block)) {
        if (!slowIsShown)
            explainSlowness();
    } else if (block.captured - soundHeardAt > SILENT_MS) {
        warn(problem('silent'));
    } else if (warned !== null) {
        warn(null);
    }
}

// Who answers; and the seed, where one seed repeats the conversation.
function showAbout(metadata) {
    const one = metadata.text_seed !== undefined &&
        metadata.text_seed === metadata.audio_seed;
    const parts = [metadata.instance_name, metadata.lm_model_file,
        one && `seed ${metadata.text_seed}`];
    at('about').replaceChildren(...parts.filter(Boolean).flatMap((text) => {
        const part = document.createElement('span');
        part.textContent = text;
        return [part, ' '];
    }));
}

// --- the conversation ---

const events = {
    state(name) {
        showState(name);
        if (name === 'talking')
            duet.begin();
    },
    metadata(metadata) {
        recording.metadata = metadata;
        settings.chosen(metadata);
        showAbout(metadata);
    },
    words: showWords,
    block(block) {
        recording.sound(block.heard, block.spoken);
        duet.block(block.heard, block.spoken);
        showFigures(block);
        watch(block);
    },
    ended(why) {
        conversation = null;
        duet.end();
        readOut();
        release();
        showProblem(why);
        showState(recording.bytes > 0 ? 'ended' : 'failed');
        offer();
    },
};

function start() {
    clearOffer();
    showProblem(null);
    recording = new Recording();
    pace = new Pace();
    soundHeardAt = shown = 0;
    at('lines').replaceChildren();
    at('lines').hidden = true;
    at('welcome').hidden = false;
    for (const id of ['time', 'delay', 'missed'])
        at(id).textContent = '–';
    at('gaps').textContent = '';
    at('about').replaceChildren();
    setMute(false);
    conversation = new Conversation(settings.values(), events);
    conversation.start();
    keepAwake();
}

function setMute(muted) {
    conversation?.mute(muted);
    at('mute').setAttribute('aria-pressed', muted);
    at('muted').hidden = !muted;
}

async function keepAwake() {
    try {
        awake = await navigator.wakeLock?.request('screen');
    } catch {
        awake = null; // the screen may go dark; the talk goes on
    }
    if (conversation === null)
        release();
}

function release() {
    awake?.release();
    awake = null;
}

// --- what can be kept ---

function offer() {
    if (recording.bytes === 0)
        return;
    const give = (link, blob, name) => {
        link.href = URL.createObjectURL(blob);
        link.download = name;
    };
    give(at('save-sound'), recording.wav(), recording.name('wav'));
    give(at('save-words'), recording.transcript(), recording.name('txt'));
    at('save-words').hidden = recording.lines.length === 0;
    at('keep').hidden = false;
}

function clearOffer() {
    at('keep').hidden = true;
    for (const link of [at('save-sound'), at('save-words')]) {
        if (link.href)
            URL.revokeObjectURL(link.href);
        link.removeAttribute('href');
    }
}

at('talk').addEventListener('click', () => {
    if (conversation === null)
        start();
    else
        conversation.hangUp();
});

at('mute').addEventListener('click', () => setMute(!conversation.muted));

const hindrance = await obstacle();
showProblem(hindrance);
showState(hindrance === null ? 'ready' : 'unable');
