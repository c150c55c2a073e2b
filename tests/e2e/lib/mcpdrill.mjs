// SPDX-License-Identifier: MIT
//
// Runs `mcpdrill` and reads what it wrote; makes scenario files.
import assert from 'node:assert/strict';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { FOREIGN_CORES_MAX } from './cores.mjs';
import { binDir, finished, sanitized, start, tempDir } from './process.mjs';

const program = join(binDir, 'mcpdrill');

export async function mcpdrill(args, options = {}) {
  return finished(start(program, args, options), `mcpdrill ${args.join(' ')}`);
}

export function startMcpdrill(args, options = {}) {
  return start(program, args, options);
}

export function writeScenario(scenario) {
  const file = join(tempDir(), 'scenario.json');
  writeFileSync(file, typeof scenario === 'string' ? scenario : JSON.stringify(scenario, null, 2));
  return file;
}

// A scenario of one baseline stage; `tool` may be left out when `mix` is given.
export function baseline({
  url,
  vus = 1,
  ms = 1000,
  tool = 'fast_echo',
  toolArguments = { message: 'hello' },
  streaming = false,
  mix,
  workload = {},
  timeouts = {},
  stage = {},
  ...rest
}) {
  const templates = [
    { template_id: 'only', tool_name: tool, arguments: toolArguments, expects_streaming: streaming },
  ];
  return {
    schema_version: 'run-config/v1',
    scenario_id: 'e2e',
    target: { url, timeouts },
    workload: {
      ...(mix ? { operation_mix: mix } : { operation_mix: [{ operation: 'tools_call' }] }),
      ...(mix && !mix.some((entry) => entry.operation === 'tools_call' && !entry.tool_name)
        ? {}
        : { tools: { templates } }),
      ...workload,
    },
    stages: [{ stage: 'baseline', duration_ms: ms, load: { target_vus: vus, start_spread_ms: 0 }, ...stage }],
    ...rest,
  };
}

// Runs a scenario (an object, or the path of a file) to its end and returns {code, stdout, stderr, seconds, peakBytes, result}.
export async function run(scenario, options = {}) {
  const running = startRun(scenario, options);
  return endOfRun(running, options);
}

export function startRun(scenario, options = {}) {
  const file = typeof scenario === 'string' ? scenario : writeScenario(scenario);
  const json = join(tempDir(), 'result.json');
  const running = startMcpdrill(['run', file, '--json', json, ...(options.args ?? [])], {
    timeoutMs: 60_000,
    ...options,
  });
  running.json = json;
  return running;
}

export async function endOfRun(running) {
  const end = await finished(running, 'mcpdrill run');
  end.said = `${end.stdout}\n${end.stderr}`;
  end.result = existsSync(running.json) ? JSON.parse(readFileSync(running.json, 'utf8')) : null;
  if (end.result) {
    checkBooks(end.result);
  }
  return end;
}

// Evidence that our threads did not get a core when they wanted one, or not soon enough. What may be our own
// fault whoever else is there (descriptors, ports, memory, books) is none of it.
const NO_CORE =
  /^(requests sent late|thread busy|thread waiting for a core|CPU time taken by other guests|held back by the cgroup's CPU)/;
// The kernel's word for it: somebody else had the core, or tasks of the machine waited for one. A thread does not
// wait for a core by being slow.
const TAKEN_AWAY =
  /^(thread waiting for a core|CPU time taken by other guests|held back by the cgroup's CPU|(warning: )?pressure on the machine's CPU)/m;

// Did the machine, and nothing else, keep the generator from measuring? A thread that is busy or late may also
// be slow by its own fault: that others used the cores has to be seen, by the kernel or from outside. Under
// sanitizers it is the instruments.
export function wasHindered({ code, result, foreignCores = 0 }) {
  const { state, evidence = [] } = result?.validity ?? {};
  const others =
    sanitized || foreignCores > FOREIGN_CORES_MAX || TAKEN_AWAY.test(evidence.join('\n'));
  return code === 6 && state === 'generator_bound' && NO_CORE.test(evidence[0]) && others;
}

// The run ended with `code`. On a machine that is busy elsewhere the verdict may be instead that the generator
// was the limit; what it counted is true all the same, and for tests of counts that will do: the books
// balance, which is asked again here because not every caller has done so.
export function assertRan(end, code = 0) {
  if (wasHindered(end)) {
    checkBooks(end.result);
    assert.ok(['completed', 'stopped'].includes(end.result.state), end.said);
    assert.equal(end.result.verdict, 'invalid');
    console.log(`# generator_bound: ${end.result.validity.evidence[0]}`);
    return;
  }
  assert.equal(end.code, code, end.said);
}

// In every report: started = succeeded + failed + unfinished, in total and for each part.
export function checkBooks(result) {
  assert.equal(result.schema_version, 'result/v1');
  const { totals, integrity } = result;
  assert.ok(integrity.balanced && integrity.sums_agree, integrity.line);
  for (const name of ['missing', 'refused', 'duplicates']) {
    assert.equal(integrity[name], 0, integrity.line);
  }
  assert.equal(integrity.started, integrity.succeeded + integrity.failed + integrity.unfinished);
  // The books are about every stage, totals about those of the load; preflight stands beside.
  const both = (name) => inAll(result, name);
  assert.equal(both('operations_total'), integrity.succeeded + integrity.failed);
  assert.equal(both('operations_failed'), integrity.failed);
  assert.equal(both('operations_unfinished'), integrity.unfinished);
  const load = result.stages.filter((one) => one.load);
  for (const name of ['operations_total', 'operations_failed', 'operations_unfinished']) {
    const parts = (rows) => rows.reduce((all, one) => all + (one.totals[name] ?? 0), 0);
    assert.equal(parts(result.operations), totals[name], `${name}: the operations add up to the total`);
    assert.equal(parts(load), totals[name], `${name}: the load stages add up to the total`);
    assert.equal(parts(result.stages), both(name), `${name}: all stages add up to both`);
  }
  for (const part of [result, result.preflight]) {
    const failures = part?.errors.reduce((all, one) => all + one.count, 0) ?? 0;
    assert.equal(failures, part?.totals.operations_failed ?? 0, 'each failed operation is one error');
  }
}

// What the target saw of a metric that counts: the load and the preflight stages, which stand beside it.
export function inAll(result, name) {
  return result.totals[name] + (result.preflight?.totals[name] ?? 0);
}

// Operations of that kind that ended, in whatever stage.
export function endedInAll(result, kind) {
  return result.stages
    .flatMap((stage) => stage.operations)
    .filter((one) => one.operation === kind)
    .reduce((sum, one) => sum + (one.totals.operations_total ?? 0), 0);
}

// The errors of a result by "type/code/origin" → count.
export function errorCounts(result) {
  const counts = {};
  for (const { type, code, origin, count } of result.errors) {
    const key = `${type}/${code}/${origin}`;
    counts[key] = (counts[key] ?? 0) + count;
  }
  return counts;
}

export function operation(result, name, template) {
  const found = result.operations.filter(
    (one) =>
      one.operation.replace('/', '_') === name.replace('/', '_') &&
      (template === undefined || one.template_id === template || one.tool_name === template),
  );
  assert.equal(
    found.length,
    1,
    `one row for ${name} ${template ?? ''} in ${JSON.stringify(result.operations.map(({ totals, ...key }) => key))}`,
  );
  return found[0].totals;
}
