// SPDX-License-Identifier: MIT
//
// `reporting`: what of a run is kept, and what of it nobody may read.
import assert from 'node:assert/strict';
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import test from 'node:test';
import { jsonAnswer, startHostile } from './lib/hostile.mjs';
import { assertRan, baseline, mcpdrill, run, writeScenario } from './lib/mcpdrill.mjs';
import { startMock } from './lib/mock.mjs';
import { tempDir } from './lib/process.mjs';

const ALL = ['events.ndjson', 'histograms.hlog', 'ops.ndjson', 'result.json', 'scenario.json', 'windows.ndjson'];

test('formats and include decide what --out holds; what is not wanted is not left over', async (t) => {
  const mock = await startMock(t);
  const out = tempDir();
  const keep = async (reporting) => {
    const end = await run(baseline({ url: mock.url, ms: 1000, reporting }), { args: ['--out', out] });
    assertRan(end);
    return readdirSync(out).sort();
  };
  const without = (...names) => ALL.filter((name) => !names.includes(name));
  assert.deepEqual(await keep({}), ALL);
  assert.deepEqual(await keep({ include: { store_event_log: false } }), without('events.ndjson'));
  assert.deepEqual(await keep({ include: { store_raw_logs: false } }), without('ops.ndjson'));
  assert.deepEqual(
    await keep({ include: { store_metrics_snapshot: false } }),
    without('windows.ndjson', 'histograms.hlog'),
  );
  writeFileSync(join(out, 'mine.txt'), 'not ours');
  const before = readFileSync(join(out, 'result.json'), 'utf8');
  assert.deepEqual(await keep({ formats: ['html'] }), [...ALL, 'mine.txt'].sort());
  assert.notEqual(readFileSync(join(out, 'result.json'), 'utf8'), before, 'of the last run');
  assert.equal((await mcpdrill(['report', out])).code, 0);
});

const TOKEN = 'tok-3141592653';
const KEY = 'key-2718281828';

// A server that repeats what it was sent, in the words of an error; `method` is what it answers so.
async function startTelltale(t, method) {
  const told = { times: 0 };
  const target = await startHostile(
    t,
    () => {},
    (socket, request, message) => {
      if (message.method !== method) {
        return false;
      }
      told.times += request.text.includes(`Bearer ${TOKEN}`) && request.text.includes(KEY) ? 1 : 0;
      const error = { code: -32001, message: `bad credentials: ${TOKEN} with ${KEY}` };
      socket.write(jsonAnswer({ jsonrpc: '2.0', id: message.id, error }));
      return true;
    },
  );
  return { url: target.url, told };
}

for (const method of ['tools/call', 'initialize']) {
  test(`values of redacted headers are sent, and nobody reads them: ${method}`, async (t) => {
    const { url, told } = await startTelltale(t, method);
    const out = tempDir();
    const scenario = baseline({ url, ms: 1000 });
    scenario.target.headers = { authorization: 'Bearer ${env:E2E_TOKEN}', 'X-Own-Key': KEY };
    scenario.environment = { variables: ['E2E_TOKEN'] };
    scenario.reporting = { redaction: { redact_headers: ['Authorization', 'x-own-key'] } };
    const end = await run(scenario, {
      args: ['--out', out, '--junit', join(out, 'junit.xml')],
      env: { E2E_TOKEN: TOKEN },
    });
    assert.ok(told.times > 0, 'they are sent');
    assert.match(end.said, /bad credentials: \[redacted\] with \[redacted\]/);
    for (const name of readdirSync(out)) {
      const text = readFileSync(join(out, name), 'utf8');
      assert.ok(!text.includes(TOKEN) && !text.includes(KEY), `${name} has no secret`);
    }
    assert.ok(!end.said.includes(TOKEN) && !end.said.includes(KEY));
    assert.ok(!JSON.stringify(end.result).includes(TOKEN));
  });
}

// Everything that a run wrote or said, as one text.
async function allThatIsLeft(scenario) {
  const out = tempDir();
  const end = await run(scenario, { args: ['--out', out, '--junit', join(out, 'junit.xml')] });
  const files = readdirSync(out).map((name) => readFileSync(join(out, name), 'utf8'));
  return { end, text: [end.said, JSON.stringify(end.result), ...files].join('\n') };
}

// A server that answers each tools/call with what `tell` makes of the request.
function startTelling(t, tell) {
  return startHostile(
    t,
    () => {},
    (socket, request, message) => {
      if (message.method !== 'tools/call') {
        return false;
      }
      socket.write(tell(request.text, message));
      return true;
    },
  );
}

test('more words than one counts are all hidden: 140 cookies, and the token behind them', async (t) => {
  const target = await startTelling(t, (text, { id }) => {
    const message = `no ${text.match(/Bearer (\S+)/)[1]} and no ${text.match(/value-0139-\d+/)[0]}`;
    return jsonAnswer({ jsonrpc: '2.0', id, error: { code: -32001, message } });
  });
  const scenario = baseline({ url: target.url, ms: 1000 });
  const cookies = Array.from({ length: 140 }, (_, i) => `c${i}=value-${String(i).padStart(4, '0')}-${i * 7919}`);
  scenario.target.headers = { Cookie: cookies.join('; '), Authorization: `Bearer ${TOKEN}` };
  const { end, text } = await allThatIsLeft(scenario);
  assert.match(end.said, /no \[redacted\] and no \[redacted\]/);
  assert.ok(!text.includes(TOKEN) && !text.includes('value-0139'));
});

test('a secret is hidden in a body of JSON, too, which writes it in another way', async (t) => {
  const secret = 'a"quoted\\and/slashed<key>';
  const target = await startTelling(t, (text) => {
    const told = JSON.stringify({ error: `no such key: ${text.match(/X-API-Key: (.*)\r/)[1]}` });
    return jsonAnswer(told.replaceAll('/', '\\/').replaceAll('<', '\\u003c'), '401 Unauthorized');
  });
  const scenario = baseline({ url: target.url, ms: 1000 });
  scenario.target.headers = { 'X-API-Key': secret };
  const { end, text } = await allThatIsLeft(scenario);
  assert.match(end.said, /no such key: \[redacted\]/);
  for (const part of ['quoted', 'slashed', 'key>']) {
    assert.ok(!text.includes(part), part);
  }
});

test('explain, and what is said of --set, hide them too', async () => {
  const file = writeScenario({
    target: { url: 'http://localhost:9000', headers: { Cookie: 'sid=secret-1', 'X-Shown': 'yes' } },
    stages: [{ duration_ms: 2000 }],
  });
  const shown = await mcpdrill(['explain', file]);
  assert.deepEqual(JSON.parse(shown.stdout).target.headers, { Cookie: '[redacted]', 'X-Shown': 'yes' });
  const refused = await mcpdrill(['validate', file, '--set', 'target.headers.Cookie=secret-2\u0001']);
  assert.equal(refused.code, 2);
  assert.match(refused.stderr, /from --set target\.headers\.Cookie\)/);
  assert.ok(!refused.stderr.includes('secret-2'));
});
