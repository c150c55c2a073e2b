// SPDX-License-Identifier: MIT
//
// Logs of HdrHistogram (format 1.3, compressed V2 histograms of two digits), and its buckets.
import assert from 'node:assert/strict';
import { inflateSync } from 'node:zlib';

const COMPRESSED = 0x1c849304;
const HEAD_BYTES = 40;

// The bucket of a value in nanoseconds: exact below 256, then 128 in an octave.
export function bucketOf(ns) {
  if (ns < 128) {
    return ns;
  }
  const octave = Math.floor(Math.log2(ns));
  const exact = 2 ** octave > ns ? octave - 1 : 2 ** (octave + 1) <= ns ? octave + 1 : octave;
  return (exact - 6) * 128 + (Math.floor(ns / 2 ** (exact - 7)) % 128);
}

// The largest value of a bucket.
export function highestOf(bucket) {
  if (bucket < 256) {
    return bucket;
  }
  const shift = Math.floor(bucket / 128) - 1;
  return (128 + (bucket % 128) + 1) * 2 ** shift - 1;
}

// {bucket: count}
function countsOf(payload) {
  const counts = {};
  let bucket = 0;
  for (let at = 0; at < payload.length; ) {
    let zigzag = 0;
    for (let scale = 1, byte = 128; byte >= 128; scale *= 128) {
      byte = payload[at++];
      zigzag += (byte % 128) * scale;
    }
    if (zigzag % 2 === 1) {
      bucket += (zigzag + 1) / 2; // so many are empty
    } else {
      counts[bucket++] = zigzag / 2;
    }
  }
  return Object.fromEntries(Object.entries(counts).filter(([, count]) => count > 0));
}

// The histograms of a log by their tags: {tag: {bucket: count}}.
export function histogramsOf(text) {
  const all = {};
  for (const line of text.split('\n').filter((one) => one.startsWith('Tag='))) {
    const [tag, , , , base64] = line.split(',');
    const bytes = Buffer.from(base64, 'base64');
    assert.equal(bytes.readUInt32BE(0) & ~0xf0, COMPRESSED & ~0xf0);
    const inner = inflateSync(bytes.subarray(8, 8 + bytes.readUInt32BE(4)));
    all[tag.slice('Tag='.length)] = countsOf(inner.subarray(HEAD_BYTES, HEAD_BYTES + inner.readUInt32BE(4)));
  }
  return all;
}
