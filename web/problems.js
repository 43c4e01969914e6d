// problems.js: what can go wrong, in plain words: what happened, and what to
// do about it. Pure.

import {CLOSE} from './protocol.js';

const problems = {
    insecure: ['This page may not use the microphone',
        'Browsers allow that only over https, or on the machine itself. ' +
        'Open this page with https:// in its address, or as localhost.'],
    browser: ['This browser cannot do it',
        'It lacks what is needed for sound over the network (WebCodecs with ' +
        'Opus, AudioWorklet). Recent versions of Chrome, Edge, Firefox and ' +
        'Safari have it.'],
    denied: ['The microphone is not allowed',
        'Allow it for this page, in the address bar or in the settings of ' +
        'the browser, and start again.'],
    microphone: ['No microphone was found',
        'Plug one in, or choose another in the settings, and start again.'],
    busy: ['The microphone does not answer',
        'Another program may be using it. Close that, and start again.'],
    unplugged: ['The microphone is gone',
        'It was unplugged or taken away. Plug it in, and start again.'],
    silent: ['Your microphone gives no sound',
        'Is it switched off, or is another one meant? It can be chosen in ' +
        'the settings.'],
    full: ['The server is full',
        'It holds as many conversations as it can. Try again in a few ' +
        'minutes.'],
    tokenWanted: ['The server wants a token',
        'Enter the token that you were given in the settings, and start ' +
        'again.'],
    tokenWrong: ['The server does not accept this token',
        'Look at it once more in the settings, and start again.'],
    address: ['The server does not let in pages from this address',
        'Whoever runs it can allow that: moshi serve --origin, with the ' +
        'beginning of this page’s address. Or open the page under the ' +
        'server’s own address.'],
    wish: ['The server does not accept one of the settings',
        'Look at them once more, or reset them, and start again.'],
    stopping: ['The server is stopping',
        'It takes no new conversations. Try again when it is back.'],
    stopped: ['The server was stopped',
        'It ended the conversation. What was said is kept here; start ' +
        'again when the server is back.'],
    unreachable: ['The server cannot be reached',
        'It may have stopped, or your network is down. Start again when it ' +
        'is back.'],
    lost: ['The connection was lost',
        'The server or the network went away without a word. What was said ' +
        'is kept here; you can start again.'],
    idle: ['The server heard nothing for too long',
        'So it ended the conversation. You can start again.'],
    length: ['The conversation has reached its greatest length',
        'The server ended it. You can start a new one.'],
    fault: ['The server had a problem', 'You can start again.'],
    slowMachine: ['The machine is too slow for this model',
        'Its answers come late and broken. A smaller model, or fewer ' +
        'conversations at once, would help.'],
    slowNetwork: ['The connection is too slow',
        'The machine keeps up, but sound arrives late. A better network ' +
        'would help.'],
    slow: ['Answers come late',
        'The machine or the network is too slow for an even conversation.'],
    codec: ['The sound could not be coded',
        'The browser’s Opus failed. You can start again.'],
    page: ['This page failed', 'Load it again.'],
};

// {id, title, advice, detail}; detail is what the other side said itself.
export function problem(id, detail = '') {
    const [title, advice] = problems[id];
    return {id, title, advice, detail};
}

export const problemIds = Object.keys(problems);

// What getUserMedia failed with.
export function microphoneProblem(error) {
    switch (error.name) {
    case 'NotAllowedError':
    case 'SecurityError':
        return problem('denied');
    case 'NotFoundError':
    case 'OverconstrainedError':
        return problem('microphone');
    case 'NotReadableError':
    case 'AbortError':
        return problem('busy');
    default:
        return problem('microphone', error.message);
    }
}

// A conversation that the server ended: its code, and what it said last.
export function endProblem(code, said) {
    switch (code) {
    case CLOSE.TRY_LATER:
        return problem('full');
    case CLOSE.GOING_AWAY:
        return problem('stopped');
    case CLOSE.NORMAL:
        return problem('length');
    case CLOSE.POLICY:
        return /nothing was heard/.test(said) ? problem('idle')
            : problem('fault', said);
    case CLOSE.LOST:
        return problem('lost');
    default:
        return problem('fault', said);
    }
}

// A connection that was refused. Browsers do not say why, so the server is
// asked with a plain request for the same address: its answer {status, text},
// or null when there was none. The browser names the page's origin only with
// the WebSocket: when all else is well, that is what the server minds.
export function refusalProblem(answer, token) {
    if (answer === null)
        return problem('unreachable');
    const said = answer.text.trim();
    switch (answer.status) {
    case 400:
        return problem('wish', said);
    case 401:
        return problem(token ? 'tokenWrong' : 'tokenWanted');
    case 403:
    case 426:
        return problem('address');
    case 503:
        return problem(/stopping/.test(said) ? 'stopping' : 'full');
    default:
        return problem('fault', `${answer.status} ${said}`.trim());
    }
}
