// SPDX-License-Identifier: MIT
//
// The program as it is installed: which names it has, where its examples are, and that all of it goes on
// working when the prefix is moved; and the same names and paths in the folder of the build.
import assert from 'node:assert/strict';
import { mkdirSync, readFileSync, readdirSync, renameSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import test from 'node:test';
import { startMock } from './lib/mock.mjs';
import { binDir, finished, rootDir, start, tempDir } from './lib/process.mjs';

const ROLES = ['server', 'worker', 'mockserver', 'agent'];

async function run(program, args, cwd = tempDir()) {
  return finished(start(program, args, { cwd }), `${program} ${args.join(' ')}`);
}

// Installs into a folder and moves it away from there: nothing may remember where it was.
async function installed() {
  const folder = tempDir();
  const build = dirname(binDir);
  const end = await run('cmake', ['--install', build, '--prefix', join(folder, 'first')]);
  assert.equal(end.code, 0, end.stdout + end.stderr);
  const prefix = join(folder, 'moved');
  renameSync(join(folder, 'first'), prefix);
  return prefix;
}

const prefix = await installed();
const program = join(prefix, 'bin/mcpdrill');

test('what is installed: names that are ours, examples with their data, schema and licence', () => {
  assert.deepEqual(
    readdirSync(join(prefix, 'bin')).sort(),
    ['mcpdrill', ...ROLES.map((role) => `mcpdrill-${role}`)].sort(),
  );
  const share = join(prefix, 'share/mcpdrill');
  for (const file of ['quick-start.json', 'data/users.csv', 'scenarios/stream-stall-test.json']) {
    assert.equal(
      readFileSync(join(share, 'examples', file), 'utf8'),
      readFileSync(join(rootDir, 'examples', file), 'utf8'),
    );
  }
  JSON.parse(readFileSync(join(share, 'schemas/run-config/v1.json'), 'utf8'));
  assert.match(readFileSync(join(prefix, 'share/doc/mcpdrill/LICENSE'), 'utf8'), /MIT License/);
});

test('DESTDIR is in front of the prefix', async () => {
  const stage = tempDir();
  const end = await finished(
    start('cmake', ['--install', dirname(binDir), '--prefix', '/opt/somewhere'], { env: { DESTDIR: stage } }),
    'cmake --install',
  );
  assert.equal(end.code, 0, end.stderr);
  assert.equal((await run(join(stage, 'opt/somewhere/bin/mcpdrill-worker'), ['--help'])).code, 0);
});

// Beside a cmake that only says what it is asked for.
test('make install takes any folder as its prefix', async () => {
  const folder = tempDir();
  writeFileSync(join(folder, 'cmake'), '#!/bin/sh\nprintf "<%s>" "$@"\necho\n', { mode: 0o755 });
  for (const prefix of ['/opt/pre fix', "/opt/it's", '/opt/two  blanks/"x"', undefined]) {
    const args = ['-s', '--no-print-directory', 'install', ...(prefix ? [`PREFIX=${prefix}`] : [])];
    const env = { PATH: `${folder}:${process.env.PATH}` };
    const end = await finished(start('make', args, { env }), 'make install');
    assert.equal(end.code, 0, end.stderr);
    assert.equal(end.stdout.split('\n').at(-2), `<--install><build><--prefix><${prefix ?? '/usr/local'}>`);
  }
});

test('the examples are listed, and each path of the list works from an empty folder', async () => {
  const empty = tempDir();
  const list = await run(program, ['examples'], empty);
  assert.equal(list.code, 0, list.stderr);
  const rows = [...list.stdout.matchAll(/^(examples\/\S+\.json) {2,}(\S.*)$/gm)];
  assert.ok(rows.length >= 11, list.stdout);
  assert.ok(rows.some(([, path]) => path === 'examples/quick-start.json'));
  for (const [, path, sentence] of rows) {
    const end = await run(program, ['validate', path], empty);
    assert.equal(end.code, 0, end.stderr);
    assert.equal(end.stdout, `${path}: valid\n`);
    assert.match(sentence, /[.?!…]$/, path);
    assert.doesNotMatch(sentence, /[.?!] /, path);
  }
  const where = (await run(program, ['examples', '--path'], empty)).stdout.trim();
  assert.equal(where, join(prefix, 'share/mcpdrill/examples'));
});

test('run, explain, doctor and --with find examples; data feeds are found beside them', async (t) => {
  const empty = tempDir();
  const feed = 'examples/scenarios/data-feed.json';
  assert.equal((await run(program, ['explain', feed], empty)).code, 0);
  const doctor = await run(program, ['doctor', feed], empty);
  assert.ok([0, 6].includes(doctor.code), doctor.stderr); // 6: this machine is too small for it
  const merged = await run(program, ['explain', 'examples/quick-start.json', '--with', feed], empty);
  assert.equal(merged.code, 2); // of a feed's path, too, the folder of the scenario counts
  assert.match(merged.stderr, /users\.csv/);
  const mock = await startMock(t);
  const end = await run(
    program,
    ['run', feed, '--quiet', '--set', `target.url=${mock.url}`, '--set', 'stages[1].duration_ms=2000'],
    empty,
  );
  assert.ok([0, 4, 6].includes(end.code), end.stdout + end.stderr); // too short for its criteria, or a busy machine
  assert.ok((await mock.stats()).tools.validate_email > 0);
});

test('the working folder comes first, and what is nowhere is named as it was written', async () => {
  const own = tempDir();
  mkdirSync(join(own, 'examples'));
  writeFileSync(join(own, 'examples/quick-start.json'), '{}');
  assert.equal((await run(program, ['validate', 'examples/quick-start.json'], own)).code, 2);
  for (const args of [
    ['validate', 'examples/none.json'],
    ['validate', 'examples/scenarios/spike.json', '--with', 'examples/none.json'],
  ]) {
    const end = await run(program, args, own);
    assert.equal(end.code, 2);
    assert.match(end.stderr, /cannot open examples\/none\.json: .*"mcpdrill examples"/);
  }
});

test('in the folder of the build: short names and long ones, and the guide’s paths', async () => {
  for (const name of ['mcpdrill', ...ROLES, ...ROLES.map((role) => `mcpdrill-${role}`)]) {
    const end = await run(`./${name}`, ['--help'], binDir);
    assert.equal(end.code, 0, end.stderr);
  }
  const path = 'examples/scenarios/stream-stall-test.json';
  assert.equal((await run('./mcpdrill', ['validate', path], binDir)).stdout, `${path}: valid\n`);
  assert.equal((await run(join(binDir, 'mcpdrill'), ['validate', path])).code, 0);
});

test('a long name is the same mock server', async () => {
  const end = await run(join(prefix, 'bin/mcpdrill-mockserver'), ['--addr', '127.0.0.1:0', '--max-seconds', '1']);
  assert.equal(end.code, 0, end.stderr);
  assert.match(end.stdout, /^mockserver listening on http:/);
});

test('programs that come later know their flags, and say what does the job today', async () => {
  const bin = (role) => join(prefix, 'bin', `mcpdrill-${role}`);
  for (const [role, flags, instead] of [
    ['agent', ['--pair-key', 'k', '--listen-port', '3000', '--tls-insecure-skip-verify'], /mcpdrill run FILE/],
  ]) {
    const end = await run(bin(role), flags);
    assert.equal(end.code, 2);
    assert.match(end.stderr, new RegExp(`"${role}" is not supported yet`));
    assert.match(end.stderr, instead);
    for (const flag of flags.filter((word) => word.startsWith('--'))) {
      assert.ok(end.stderr.includes(`${flag.split('=')[0]} is known`), end.stderr);
    }
    const help = await run(bin(role), ['--help']);
    assert.ok(help.stdout.includes(flags[0].split('=')[0]), help.stdout);
    assert.equal((await run(program, ['help', role])).stdout, help.stdout);
  }
  const misspelt = await run(bin('server'), ['--adr', ':9000']);
  assert.equal(misspelt.code, 2);
  assert.match(misspelt.stderr, /did you mean --addr/);
});
