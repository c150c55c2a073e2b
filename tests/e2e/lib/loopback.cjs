// SPDX-License-Identifier: MIT
//
// Preloaded into a foreign server that would listen on all interfaces and on a port of its own: makes
// it listen on loopback, on a port that the system chooses, and says which.
'use strict';
const net = require('node:net');

const listen = net.Server.prototype.listen;
net.Server.prototype.listen = function listenOnLoopback(...args) {
    const callback = args.find((argument) => typeof argument === 'function');
    return listen.call(this, { port: 0, host: '127.0.0.1' }, () => {
        process.stderr.write(`foreign server on port ${this.address().port}\n`);
        callback?.();
    });
};
