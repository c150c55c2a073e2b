// SPDX-License-Identifier: MIT
//
// A target that breaks the rules of HTTP, of server-sent events, of JSON or of JSON-RPC. Each answer
// is one counted outcome with the right type and code; nothing crashes, hangs or grows.
import assert from 'node:assert/strict';
import test from 'node:test';
import {
  chunk,
  dribble,
  flood,
  head,
  jsonAnswer,
  LAST_CHUNK,
  result,
  SSE_HEAD,
  startHostile,
} from './lib/hostile.mjs';
import { assertRan, baseline, errorCounts, run } from './lib/mcpdrill.mjs';
import { sanitized } from './lib/process.mjs';

const timeouts = { connect_timeout_ms: 1000, request_timeout_ms: 1000, stream_stall_timeout_ms: 700 };
const mebibyte = 1024 * 1024;

// Two VUs for a second, with a pause between operations so that a fast failure does not spin.
async function load(t, onCall, extra = {}, onRequest = undefined) {
  const server = await startHostile(t, onCall, onRequest);
  const end = await run(
    baseline({
      url: server.url,
      vus: extra.vus ?? 2,
      ms: extra.ms ?? 1000,
      timeouts: { ...timeouts, ...extra.timeouts },
      streaming: extra.streaming ?? false,
      workload: { think_time: { mode: 'fixed', base_ms: 20 } },
      safety: { stop_policy: { drain_timeout_ms: extra.drainMs ?? 3000 } },
    }),
    { timeoutMs: 60_000 },
  );
  assert.ok(end.result, end.said);
  assert.ok(end.seconds < (extra.maxSeconds ?? 20), `it took ${end.seconds} s`);
  assert.ok(end.result.totals.operations_total > 0, end.said);
  end.calls = server.calls();
  assert.equal(end.result.counts.requests_sent, end.calls, 'both sides count the same requests');
  return end;
}

async function allSucceed(t, onCall, extra, onRequest) {
  const end = await load(t, onCall, extra, onRequest);
  assert.deepEqual(errorCounts(end.result), {}, end.said);
  assert.equal(end.result.totals.operations_failed, 0);
  assertRan(end);
  return end;
}

// Every ended operation failed, each counted once, all of them as one of `expected` ("type/CODE").
async function allFail(t, expected, onCall, extra, onRequest) {
  const end = await load(t, onCall, extra, onRequest);
  const counts = errorCounts(end.result);
  const kinds = Object.keys(counts).map((key) => key.split('/').slice(0, 2).join('/'));
  const { operations_total: total, operations_failed: failed } = end.result.totals;
  assert.ok(kinds.length > 0, end.said);
  for (const kind of kinds) {
    assert.ok([].concat(expected).includes(kind), `${kind} is not ${expected}: ${JSON.stringify(counts)}`);
  }
  assert.equal(
    Object.values(counts).reduce((a, b) => a + b, 0),
    failed,
    'each failure is one error',
  );
  assert.equal(failed, total, 'none of them succeeded');
  return end;
}

const sse = (...pieces) =>
  Buffer.concat([Buffer.from(SSE_HEAD), ...pieces.map((piece) => chunk(piece)), Buffer.from(LAST_CHUNK)]);
const event = (message) =>
  `event: message\ndata: ${typeof message === 'string' ? message : JSON.stringify(message)}\n\n`;
const progress = {
  jsonrpc: '2.0',
  method: 'notifications/progress',
  params: { progress: 1, progressToken: 1 },
};

// ---- what is unusual and allowed -------------------------------------------------------------

test('an ordinary answer, so that the server itself is known to be good', (t) =>
  allSucceed(t, (socket, { id }) => socket.write(jsonAnswer(result(id)))));

test('any order of keys, white space, and escapes', (t) =>
  allSucceed(t, (socket, { id }) =>
    socket.write(
      jsonAnswer(
        ` \r\n\t{"result" : {"content":[{"type":"text","text":"\\u0041\\ud83d\\ude00\\n"}], "isError" : false}, "x":{"id":0,"error":{"code":1}},\n"id" :${id} , "jsonrpc":"2.0"}\n`,
      ),
    ),
  ));

test('a body that ends with the connection', (t) =>
  allSucceed(t, (socket, { id }) =>
    socket.end(
      head('200 OK', { 'Content-Type': 'application/json', Connection: 'close' }) +
        JSON.stringify(result(id)),
    ),
  ));

test('HTTP/1.0', (t) =>
  allSucceed(t, (socket, { id }) =>
    socket.end(`HTTP/1.0 200 OK\r\nContent-Type: application/json\r\n\r\n${JSON.stringify(result(id))}`),
  ));

test('interim responses: 100 and 103 before the answer', (t) =>
  allSucceed(t, (socket, { id }) =>
    socket.write(
      `${head('100 Continue')}${head('103 Early Hints', { Link: '</x>; rel=preload' })}${jsonAnswer(result(id))}`,
    ),
  ));

test('chunks of one byte with extensions and trailers', (t) =>
  allSucceed(t, (socket, { id }) => {
    const bytes = [...JSON.stringify(result(id))].map((byte) => `1;name="a;b"\r\n${byte}\r\n`).join('');
    socket.write(
      `${head('200 OK', { 'Content-Type': 'application/json; charset=utf-8', 'Transfer-Encoding': 'chunked' })}${bytes}0\r\nX-Trailer: yes\r\n\r\n`,
    );
  }));

test('an answer that comes byte by byte', (t) =>
  allSucceed(t, (socket, { id }) => dribble(socket, jsonAnswer(result(id)), 1), {
    timeouts: { request_timeout_ms: 10_000 },
    ms: 1500,
  }));

test('a stream whose lines end with CR', (t) =>
  allSucceed(
    t,
    (socket, { id }) =>
      socket.write(sse(event(progress).replaceAll('\n', '\r'), event(result(id)).replaceAll('\n', '\r'))),
    { streaming: true },
  ));

test('a stream with BOM, comments, CRLF, priming event, retry, cut between any two bytes', async (t) => {
  const end = await allSucceed(
    t,
    (socket, { id }) => {
      const text = `\ufeff: hello\r\nid: 1\r\ndata:\r\n\r\nretry: 10\r\n${event(progress).replaceAll('\n', '\r\n')}:x\r\n${event(result(id)).replaceAll('\n', '\r\n')}`;
      socket.write(SSE_HEAD);
      const bytes = Buffer.from(text);
      for (let i = 0; i < bytes.length; i++) {
        socket.write(chunk(bytes.subarray(i, i + 1)));
      }
      socket.write(LAST_CHUNK);
    },
    { streaming: true },
  );
  assert.equal(
    end.result.totals.events_received_total,
    2 * end.result.totals.operations_total,
    'comments and priming events do not count',
  );
});

test('a message split over several data lines', (t) =>
  allSucceed(
    t,
    (socket, { id }) =>
      socket.write(sse(`data: {"jsonrpc": "2.0",\ndata: "id": ${id},\ndata: "result": {}}\n\n`)),
    { streaming: true },
  ));

test('a stream with Content-Length', (t) =>
  allSucceed(
    t,
    (socket, { id }) => {
      const body = event(result(id));
      socket.write(
        head('200 OK', {
          'Content-Type': 'text/event-stream; charset=utf-8',
          'Content-Length': Buffer.byteLength(body),
        }) + body,
      );
    },
    { streaming: true },
  ));

test('a request and a notification that carry our id are not the answer', (t) =>
  allSucceed(
    t,
    (socket, { id }) =>
      socket.write(
        sse(
          event({ jsonrpc: '2.0', id, method: 'roots/list' }),
          event({ jsonrpc: '2.0', method: 'notifications/message', params: { level: 'info', data: { id } } }),
          event({ jsonrpc: '2.0', id, method: 'ping', result: {} }),
          event(result(id)),
        ),
      ),
    { streaming: true },
  ));

test('responses to nobody before the answer are passed over', (t) =>
  allSucceed(
    t,
    (socket, { id }) =>
      socket.write(sse(event(result(id + 100_000)), event(result('text')), event(result(id)))),
    { streaming: true },
  ));

test('a data line of 50 MB is taken in bounded memory', async (t) => {
  const text = 'a'.repeat(mebibyte);
  const end = await allSucceed(
    t,
    (socket, { id }) => {
      socket.write(SSE_HEAD);
      socket.write(chunk(`data: {"jsonrpc":"2.0","id":${id},"result":{"content":[{"type":"text","text":"`));
      for (let i = 0; i < 50; i++) {
        socket.write(chunk(text));
      }
      socket.write(chunk('"}]}}\n\n'));
      socket.write(LAST_CHUNK);
    },
    {
      vus: 1,
      ms: 1000,
      streaming: true,
      maxSeconds: 45,
      drainMs: 30_000,
      timeouts: { request_timeout_ms: 30_000, stream_stall_timeout_ms: 20_000 },
    },
  );
  const limit = (sanitized ? 400 : 64) * mebibyte;
  assert.ok(end.peakBytes < limit, `at most ${(end.peakBytes / mebibyte).toFixed(1)} MiB were used`);
  assert.ok(
    end.result.totals.bytes_received === undefined || end.result.totals.bytes_received > 50 * mebibyte,
  );
});

test('a JSON body of 50 MB is taken in bounded memory', async (t) => {
  const end = await allSucceed(
    t,
    (socket, { id }) => {
      const body = JSON.stringify(result(id, 'b'.repeat(50 * mebibyte)));
      socket.write(jsonAnswer(body));
    },
    { vus: 1, ms: 1000, maxSeconds: 45, drainMs: 30_000, timeouts: { request_timeout_ms: 30_000 } },
  );
  const limit = (sanitized ? 400 : 64) * mebibyte;
  assert.ok(end.peakBytes < limit, `at most ${(end.peakBytes / mebibyte).toFixed(1)} MiB were used`);
});

test('the target closes the connection after each answer', (t) =>
  allSucceed(t, (socket, { id }) => socket.end(jsonAnswer(result(id), '200 OK', { Connection: 'close' }))));

// ---- what is wrong ---------------------------------------------------------------------------

test('endless headers', (t) =>
  allFail(t, 'protocol_error/INVALID_HTTP', (socket) => {
    socket.write('HTTP/1.1 200 OK\r\n');
    flood(socket, `X-Filler: ${'x'.repeat(1000)}\r\n`, 64 * mebibyte);
  }));

test('one endless header line', (t) =>
  allFail(t, 'protocol_error/INVALID_HTTP', (socket) => {
    socket.write('HTTP/1.1 200 OK\r\nX-Filler: ');
    flood(socket, 'x'.repeat(65536), 64 * mebibyte);
  }));

test('endless interim responses', (t) =>
  allFail(t, ['protocol_error/INVALID_HTTP', 'timeout/REQUEST_TIMEOUT'], (socket) =>
    flood(socket, head('100 Continue').repeat(100), 16 * mebibyte),
  ));

for (const [name, size] of [
  ['negative', '-5'],
  ['huge', 'ffffffffffffffffff'],
  ['no number', 'zz'],
  ['very long', '0'.repeat(100_000)],
]) {
  test(`a chunk length that is ${name}`, (t) =>
    allFail(t, ['protocol_error/INVALID_HTTP'], (socket) => {
      socket.write(head('200 OK', { 'Content-Type': 'application/json', 'Transfer-Encoding': 'chunked' }));
      socket.write(`${size}\r\n{}\r\n`);
    }));
}

test('a chunk that is longer than it says', (t) =>
  allFail(t, ['protocol_error/INVALID_HTTP'], (socket, { id }) =>
    socket.write(
      `${head('200 OK', { 'Content-Type': 'application/json', 'Transfer-Encoding': 'chunked' })}5\r\n${JSON.stringify(result(id))}\r\n0\r\n\r\n`,
    ),
  ));

test('two lengths that differ; a length beside chunked; a length that is no number', async (t) => {
  const answers = [
    'Content-Length: 5\r\nContent-Length: 6\r\n',
    'Content-Length: 5\r\nTransfer-Encoding: chunked\r\n',
    'Content-Length: 5x\r\n',
    'Content-Length: -1\r\n',
    'Content-Length: 99999999999999999999999\r\n',
  ];
  await allFail(t, 'protocol_error/INVALID_HTTP', (socket, { id }, n) =>
    socket.write(
      `HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n${answers[n % answers.length]}\r\n${JSON.stringify(result(id))}`,
    ),
  );
});

test('something that is not HTTP', (t) =>
  allFail(t, 'protocol_error/INVALID_HTTP', (socket, message, n) =>
    socket.write(
      [
        '\0\0\0\0\0\0\0\0garbage\r\n\r\n',
        'SSH-2.0-x\r\n\r\n',
        'HTTP/9.9 200 OK\r\n\r\n',
        'HTTP/1.1 twohundred OK\r\n\r\n',
        'HTTP/1.1 200 OK\r\n folded\r\n\r\n',
      ][n % 5],
    ),
  ));

test('a response with the id of nobody, alone', (t) =>
  allFail(t, 'protocol_error/ID_MISMATCH', (socket, { id }) => socket.write(jsonAnswer(result(id + 7)))));

test('ids that look like ours: a string, a fraction, null, none', (t) =>
  allFail(t, ['protocol_error/ID_MISMATCH', 'protocol_error/MISSING_ID'], (socket, { id }, n) => {
    const ids = [`"${id}"`, `${id}.5`, 'null', undefined];
    const text =
      ids[n % 4] === undefined
        ? '{"jsonrpc":"2.0","result":{}}'
        : `{"jsonrpc":"2.0","id":${ids[n % 4]},"result":{}}`;
    socket.write(jsonAnswer(text));
  }));

test('a response to nobody on a stream that then ends', (t) =>
  allFail(
    t,
    ['connect_error/SSE_DISCONNECT', 'protocol_error/ID_MISMATCH'],
    (socket, { id }) => socket.write(sse(event(result(id + 1)))),
    { streaming: true },
  ));

test('a truncated stream: the end comes in the middle of an event', (t) =>
  allFail(
    t,
    'connect_error/SSE_DISCONNECT',
    (socket, { id }) => socket.write(sse(event(progress), event(result(id)).slice(0, -10))),
    { streaming: true },
  ));

test('a stream whose connection closes before the last chunk', (t) =>
  allFail(
    t,
    'connect_error/SSE_DISCONNECT',
    (socket) => socket.end(Buffer.concat([Buffer.from(SSE_HEAD), chunk(event(progress))])),
    { streaming: true },
  ));

test('a stream that goes silent', async (t) => {
  const end = await allFail(
    t,
    'stream_stall/STREAM_STALL_TIMEOUT',
    (socket) => socket.write(Buffer.concat([Buffer.from(SSE_HEAD), chunk(event(progress))])),
    { streaming: true },
  );
  assert.equal(end.result.errors[0].origin, 'stream_stall');
});

test('a stream that only comments is silent where events are expected', (t) =>
  allFail(
    t,
    'stream_stall/STREAM_STALL_TIMEOUT',
    (socket) => {
      socket.write(SSE_HEAD);
      dribble(
        socket,
        Array.from({ length: 500 }, () => chunk(': keep-alive\n\n')),
        50,
      );
    },
    { streaming: true, timeouts: { request_timeout_ms: 5000 } },
  ));

test('a comment without end', (t) =>
  allFail(
    t,
    ['protocol_error/SSE_LINE_TOO_LONG'],
    (socket) => {
      socket.write(head('200 OK', { 'Content-Type': 'text/event-stream', Connection: 'close' }));
      socket.write(': ');
      flood(socket, 'x'.repeat(65536), 64 * mebibyte);
    },
    { streaming: true },
  ));

test('invalid UTF-8 in a JSON text', (t) =>
  allFail(t, 'protocol_error/JSON_PARSE_ERROR', (socket, { id }) => {
    const body = Buffer.concat([
      Buffer.from(`{"jsonrpc":"2.0","id":${id},"result":{"text":"`),
      Buffer.from([0xc3, 0x28, 0xff, 0xed, 0xa0, 0x80]),
      Buffer.from('"}}'),
    ]);
    socket.write(
      Buffer.concat([
        Buffer.from(head('200 OK', { 'Content-Type': 'application/json', 'Content-Length': body.length })),
        body,
      ]),
    );
  }));

for (const [name, text] of [
  ['cut off', '{"jsonrpc":"2.0","id":'],
  ['nested too deep', '['.repeat(100_000)],
  ['HTML by the name of JSON', '<html></html>'],
  ['two texts', '{}{}'],
  ['a bare control character', '{"a":"\u0001"}'],
]) {
  test(`a JSON text that is ${name}`, (t) =>
    allFail(t, 'protocol_error/JSON_PARSE_ERROR', (socket) => socket.write(jsonAnswer(text))));
}

for (const [name, text] of [
  ['an empty object', () => '{}'],
  ['a number', () => '42'],
  ['version 1.0', (id) => `{"jsonrpc":"1.0","id":${id},"result":{}}`],
  [
    'result and error at once',
    (id) => `{"jsonrpc":"2.0","id":${id},"result":{},"error":{"code":1,"message":"x"}}`,
  ],
  ['neither result nor error', (id) => `{"jsonrpc":"2.0","id":${id}}`],
]) {
  test(`JSON that is no JSON-RPC message: ${name}`, (t) =>
    allFail(t, ['protocol_error/INVALID_JSONRPC', 'protocol_error/MISSING_ID'], (socket, { id }) =>
      socket.write(jsonAnswer(text(id))),
    ));
}

test('a JSON-RPC error', async (t) => {
  const end = await allFail(t, 'jsonrpc_error/JSONRPC_INVALID_PARAMS', (socket, { id }) =>
    socket.write(jsonAnswer({ jsonrpc: '2.0', id, error: { code: -32602, message: 'not like this' } })),
  );
  assert.match(JSON.stringify(end.result.errors), /not like this/);
});

test('another content type', (t) =>
  allFail(t, 'protocol_error/UNEXPECTED_CONTENT_TYPE', (socket, message, n) =>
    socket.write(
      n % 2
        ? jsonAnswer('hi', '200 OK', { 'Content-Type': 'text/html' })
        : `${head('200 OK', { 'Content-Length': 2 })}hi`,
    ),
  ));

test('HTTP errors by class, 429 apart', async (t) => {
  const statuses = ['500 Oops', '503 Busy', '403 No', '418 Teapot', '429 Slow Down', '302 Found'];
  const end = await load(
    t,
    (socket, message, n) =>
      socket.write(
        head(statuses[n % statuses.length], {
          'Content-Length': 0,
          'Retry-After': 0,
          Location: 'http://127.0.0.1:1/',
        }),
      ),
    { vus: 1, ms: 1500 },
  );
  const kinds = Object.keys(errorCounts(end.result))
    .map((key) => key.split('/').slice(0, 2).join('/'))
    .sort();
  assert.deepEqual(kinds, [
    'http_error/HTTP_302',
    'http_error/HTTP_403',
    'http_error/HTTP_418',
    'http_error/HTTP_5XX',
    'rate_limited/HTTP_429',
  ]);
  assert.equal(end.result.totals.operations_failed, end.result.totals.operations_total);
});

test('no answer at all', (t) => allFail(t, 'timeout/REQUEST_TIMEOUT', () => {}));

test('a head that never ends, slowly', (t) =>
  allFail(t, 'timeout/REQUEST_TIMEOUT', (socket) => {
    socket.write('HTTP/1.1 200 OK\r\n');
    dribble(socket, 'X-Slow: and never an end of it\r\n'.repeat(10), 100);
  }));

test('a body that is shorter than it says', (t) =>
  allFail(t, ['connect_error/CONNECTION_EOF'], (socket) =>
    socket.end(`${head('200 OK', { 'Content-Type': 'application/json', 'Content-Length': 500 })}{"jsonrpc":`),
  ));

test('a connection that is closed instead of an answer', (t) =>
  allFail(t, ['connect_error/CONNECTION_EOF', 'connect_error/CONNECTION_RESET'], (socket) => socket.end()));

test('a connection that is reset in the middle of a body', (t) =>
  allFail(t, ['connect_error/CONNECTION_RESET'], (socket) => {
    socket.write(
      `${head('200 OK', { 'Content-Type': 'application/json', 'Content-Length': 500 })}{"jsonrpc":`,
      () => setTimeout(() => socket.resetAndDestroy(), 5),
    );
  }));

test('an answer, and then another one that nobody asked for', async (t) => {
  const end = await load(t, (socket, { id }) =>
    socket.write(jsonAnswer(result(id)) + jsonAnswer(result(id))),
  );
  const { totals } = end.result;
  assert.equal(
    totals.operations_total + totals.operations_unfinished,
    end.calls,
    'every call is one operation',
  );
});

test('a session that is lost is made again, once per operation', async (t) => {
  let initialized = 0;
  const end = await load(
    t,
    (socket, { id }, n) =>
      socket.write(n % 5 === 4 ? head('404 Not Found', { 'Content-Length': 0 }) : jsonAnswer(result(id))),
    { vus: 1 },
    (socket, request, message) => {
      if (message.method === 'initialize') {
        initialized++;
      }
      return false;
    },
  );
  assert.ok(initialized > 1, 'initialize came again');
  assert.ok(end.result.totals.operations_total - end.result.totals.operations_failed > 0);
  assert.ok(end.result.totals.sessions_lost > 0, 'the losses are counted');
});

test('sessions for ever lost: the operations fail, the run ends', (t) =>
  allFail(t, ['protocol_error/SESSION_LOST', 'http_error/HTTP_404'], (socket) =>
    socket.write(head('404 Not Found', { 'Content-Length': 0 })),
  ));

test('an empty JSON text', (t) =>
  allFail(t, ['protocol_error/JSON_PARSE_ERROR', 'protocol_error/INVALID_JSONRPC'], (socket) =>
    socket.write(jsonAnswer('')),
  ));

for (const [name, id] of [
  ['too long', 'a'.repeat(20_000)],
  ['not visible ASCII', 'a b\tc'],
]) {
  test(`a session id that is ${name} is refused before the load`, async (t) => {
    const server = await startHostile(
      t,
      (socket, { id: callId }) => socket.write(jsonAnswer(result(callId))),
      (socket, request, message) => {
        if (message.method !== 'initialize') {
          return false;
        }
        const { protocolVersion } = message.params;
        const serverInfo = { name: 'x', version: '1' };
        socket.write(
          jsonAnswer(
            {
              jsonrpc: '2.0',
              id: message.id,
              result: { protocolVersion, capabilities: { tools: {} }, serverInfo },
            },
            '200 OK',
            { 'Mcp-Session-Id': id },
          ),
        );
        return true;
      },
    );
    const end = await run(baseline({ url: server.url, ms: 1000, timeouts }));
    assert.equal(end.code, 5, end.said);
    assert.match(end.said, /session id/);
    assert.equal(server.calls(), 0);
  });
}

test('a list that never ends is a failure, but for the check of names, which warns and does not follow it for ever', async (t) => {
  let pages = 0;
  const server = await startHostile(
    t,
    () => {},
    (socket, request, message) => {
      if (message.method !== 'tools/list') {
        return false;
      }
      pages++;
      const tools = [{ name: `tool-${pages}`, inputSchema: { type: 'object' } }];
      socket.write(jsonAnswer({ jsonrpc: '2.0', id: message.id, result: { tools, nextCursor: `${pages}` } }));
      return true;
    },
  );
  const named = await run(baseline({ url: server.url, ms: 1000, timeouts }), { timeoutMs: 20_000 });
  assert.equal(named.code, 0, named.said);
  assert.match(named.said, /tool 'fast_echo' is not in the part of tools\/list that was read/);
  assert.match(named.said, /limit check_pages \(1000 pages/);
  const { limits } = named.result;
  assert.equal(limits.find(({ name }) => name === 'check_pages')?.hits, 1);
  const listed = await run(
    baseline({ url: server.url, ms: 1000, timeouts, mix: [{ operation: 'tools_list' }] }),
    {
      timeoutMs: 20_000,
    },
  );
  const { totals } = listed.result;
  assert.ok(totals.operations_total + totals.operations_unfinished > 0, listed.said);
  assert.equal(totals.operations_failed, totals.operations_total, 'no endless list is a success');
});

test('random bytes', async (t) => {
  let seed = 12345;
  const random = () => {
    seed = (Math.imul(seed, 1103515245) + 12345) >>> 0;
    return seed >>> 24;
  };
  const end = await load(
    t,
    (socket, { id }) => {
      // A good answer with some bytes changed: most damage lies in places that matter.
      const bytes = Buffer.from(jsonAnswer(result(id)));
      for (let i = 0; i < 3; i++) {
        bytes[Math.floor((random() / 256) * bytes.length)] = random();
      }
      socket.end(bytes);
    },
    { vus: 4, ms: 2000 },
  );
  const totals = end.result.totals;
  assert.equal(totals.operations_total, end.calls);
  assert.ok(!JSON.stringify(end.result.errors).includes('"UNKNOWN"'), JSON.stringify(end.result.errors));
});
