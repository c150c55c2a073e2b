// SPDX-License-Identifier: MIT
//
// An MCP server that keeps every call of a tool, so that a test can look at what was really sent. It
// echoes: the text of the result is the arguments as JSON, and structuredContent counts calls.
import http from 'node:http';

const TOOLS = [{ name: 'echo', inputSchema: { type: 'object' } }];

function initialized(params) {
  return {
    protocolVersion: params.protocolVersion,
    capabilities: { tools: {} },
    serverInfo: { name: 'recorder', version: '1' },
  };
}

function echo(params, call) {
  return {
    content: [{ type: 'text', text: JSON.stringify(params.arguments) }],
    structuredContent: { call, length: JSON.stringify(params.arguments).length, name: params.name },
  };
}

// Returns {url, calls, sessions, lists}: calls are {session, id, name, arguments, headers, at}, in the
// order in which they came. Stopped at the end of test `t`.
export async function startRecorder(t, tools = TOOLS) {
  const seen = { calls: [], sessions: [], lists: [] };
  const answers = {
    initialize: (message) => {
      seen.sessions.push(`s${seen.sessions.length + 1}`);
      return initialized(message.params);
    },
    'tools/list': (message, session) => {
      seen.lists.push({ session, at: performance.now() });
      return { tools };
    },
    'tools/call': (message, session, headers) => {
      const { name, arguments: args } = message.params;
      seen.calls.push({ session, id: message.id, name, arguments: args, headers, at: performance.now() });
      return echo(message.params, seen.calls.length);
    },
    ping: () => ({}),
  };
  const server = http.createServer((request, response) => {
    const pieces = [];
    request.on('data', (piece) => pieces.push(piece));
    request.on('end', () => {
      const message = request.method === 'POST' ? JSON.parse(Buffer.concat(pieces).toString('utf8')) : {};
      const answer = answers[message.method];
      if (!answer) {
        response.writeHead(request.method === 'DELETE' ? 200 : message.id === undefined ? 202 : 400).end();
        return;
      }
      const result = answer(message, request.headers['mcp-session-id'], request.headers);
      const session = message.method === 'initialize' ? { 'Mcp-Session-Id': seen.sessions.at(-1) } : {};
      response.writeHead(200, { 'Content-Type': 'application/json', ...session });
      response.end(JSON.stringify({ jsonrpc: '2.0', id: message.id, result }));
    });
  });
  server.keepAliveTimeout = 60_000;
  await new Promise((done) => server.listen(0, '127.0.0.1', done));
  t.after(
    () =>
      new Promise((done) => {
        server.close(done);
        server.closeAllConnections();
      }),
  );
  return { url: `http://127.0.0.1:${server.address().port}/mcp`, ...seen };
}

// A scenario that calls the recorder's tool with these arguments.
export function echoScenario({ url, arguments: args, vus = 2, ms = 1000, workload = {}, template = {}, ...rest }) {
  return {
    scenario_id: 'features',
    target: { url },
    workload: {
      think_time: { mode: 'fixed', base_ms: 10 },
      ...workload,
      tools: { templates: [{ template_id: 'only', tool_name: 'echo', arguments: args, ...template }] },
    },
    stages: [
      { stage_id: 'the-stage', stage: 'baseline', duration_ms: ms, load: { target_vus: vus, start_spread_ms: 0 } },
    ],
    ...rest,
  };
}
