// Goal: what is wrong is told, and told apart. Method: every cause that the
// page can meet, and what it says.
import assert from 'node:assert/strict';
import {test} from 'node:test';

import {Pace, frameSeconds, isMachineSlow} from '../../web/pace.js';
import {endProblem, microphoneProblem, problem, problemIds, refusalProblem}
    from '../../web/problems.js';

test('every problem has a title and says what to do', () => {
    for (const id of problemIds) {
        const {title, advice} = problem(id);
        assert.ok(title.length > 5 && !title.endsWith('.'), id);
        assert.match(advice, /\.$/, id);
    }
});

test('why there is no microphone', () => {
    const of = (name) => microphoneProblem({name, message: ''}).id;
    assert.equal(of('NotAllowedError'), 'denied');
    assert.equal(of('NotFoundError'), 'microphone');
    assert.equal(of('NotReadableError'), 'busy');
});

test('why a conversation ended', () => {
    assert.equal(endProblem(1013, '').id, 'full');
    assert.equal(endProblem(1001, '').id, 'stopped');
    assert.equal(endProblem(1000, '').id, 'length');
    assert.equal(endProblem(1008, 'nothing was heard for too long').id,
        'idle');
    assert.equal(endProblem(1008, 'too many messages').detail,
        'too many messages');
    assert.equal(endProblem(1011, 'x').id, 'fault');
    assert.equal(endProblem(1006, '').id, 'lost');
});

test('why a connection was refused', () => {
    const of = (status, text, token) => refusalProblem(
        status === null ? null : {status, text}, token).id;
    assert.equal(of(null, '', ''), 'unreachable');
    assert.equal(of(503, 'the server is stopping\n', ''), 'stopping');
    assert.equal(of(503, 'the server is full\n', ''), 'full');
    assert.equal(of(401, '', ''), 'tokenWanted');
    assert.equal(of(401, '', 'x'), 'tokenWrong');
    assert.equal(of(426, 'a WebSocket is needed here\n', 'x'), 'address');
    assert.equal(of(403, '', ''), 'address');
    assert.equal(of(400, 'text_topk=x\n', ''), 'wish');
    assert.equal(refusalProblem({status: 400, text: 'text_topk=x\n'},
        '').detail, 'text_topk=x');
    assert.equal(of(500, '', ''), 'fault');
});

// Looks at 25 blocks a second of a conversation that `how` tells of.
function slowAt(how, seconds) {
    const pace = new Pace();
    const slow = [];
    for (let ms = 0; ms < seconds * 1000; ms += 40)
        if (pace.look({captured: ms, ...how(ms)}))
            slow.push(ms);
    return slow;
}

test('who keeps up is not called slow', () => {
    assert.deepEqual(slowAt((ms) => ({received: ms - 300, missed: 0}), 60),
        []);
    // One gap of 0.4 s.
    assert.deepEqual(slowAt((ms) => ({received: ms - 300,
        missed: ms > 9000 ? 400 : 0}), 60), []);
});

test('who answers ever later is', () => {
    const slow = slowAt((ms) => ({received: ms * 0.7, missed: ms * 0.3}), 30);
    assert.ok(slow[0] < 6000);
    assert.ok(slow.at(-1) > 29000);
});

test('and is no more once that has passed', () => {
    const slow = slowAt((ms) => ({
        received: ms > 5000 && ms < 8000 ? 5000 : ms - 200,
        missed: ms < 5000 ? 0 : Math.min(ms - 5000, 700)}), 40);
    assert.ok(slow.length > 0 && slow.at(-1) < 16000);
});

test('what a frame takes, between two readings', () => {
    const text = (sum, count) => 'moshi_frame_seconds_bucket{le="1"} 3\n' +
        `moshi_frame_seconds_sum ${sum}\nmoshi_frame_seconds_count ${count}\n`;
    assert.equal(frameSeconds(text(1, 10), text(2, 20)), 0.1);
    assert.equal(frameSeconds(text(1, 10), text(1, 10)), null);
    assert.equal(frameSeconds('', ''), null);
    assert.ok(isMachineSlow(0.1));
    assert.ok(!isMachineSlow(0.02));
    assert.ok(!isMachineSlow(null));
});
