/* SPDX-License-Identifier: MIT */
#include "worker/introduce.h"

#include "wire/frame.h"
#include "worker/limits.h"

#include <arpa/inet.h>
#include <ifaddrs.h>
#include <linux/if.h>
#include <math.h>
#include <stdio.h>
#include <sys/utsname.h>
#include <unistd.h>

/* The first address of an interface that is up and leads somewhere: for people who look for the
 * machine. */
static void own_address(char *out, size_t size)
{
    struct ifaddrs *all = NULL;

    snprintf(out, size, "127.0.0.1");
    if (getifaddrs(&all) != 0) {
        return;
    }
    for (const struct ifaddrs *i = all; i != NULL; i = i->ifa_next) {
        if (i->ifa_addr != NULL && i->ifa_addr->sa_family == AF_INET &&
            (i->ifa_flags & IFF_UP) != 0 && (i->ifa_flags & IFF_LOOPBACK) == 0) {
            const struct sockaddr_in *in = (const void *)i->ifa_addr;
            inet_ntop(AF_INET, &in->sin_addr, out, (socklen_t)size);
            break;
        }
    }
    freeifaddrs(all);
}

/* The kernel draws it when it starts: machines that have the same one are one machine. */
static void boot_id(char *out, size_t size)
{
    char text[128];
    struct str rest, word;

    snprintf(out, size, "unknown");
    if (limits_read("", "/proc/sys/kernel/random/boot_id", text, sizeof text)) {
        rest = str_c(text);
        if (limits_word(&rest, &word) && word.len < size) {
            snprintf(out, size, "%.*s", STR_ARG(word));
        }
    }
}

static void machine(struct wire_hello *out)
{
    struct utsname name;

    snprintf(out->hostname, sizeof out->hostname, "unknown");
    snprintf(out->platform, sizeof out->platform, "unknown");
    if (uname(&name) == 0) {
        snprintf(out->hostname, sizeof out->hostname, "%.64s",
                 name.nodename[0] != '\0' ? name.nodename : "unknown");
        snprintf(out->platform, sizeof out->platform, "%.15s/%.15s", name.sysname, name.machine);
    }
    own_address(out->ip_addr, sizeof out->ip_addr);
    boot_id(out->boot_id, sizeof out->boot_id);
}

void introduce(const struct capacity *capacity, json_t *labels, struct wire_hello *out)
{
    *out = (struct wire_hello){
        .major = WIRE_MAJOR,
        .minor = WIRE_MINOR,
        .version = MCPDRILL_VERSION,
        .pid = (uint64_t)getpid(),
        .max_vus = capacity->max_vus,
        .max_concurrent_ops = capacity->max_concurrent_ops,
        .max_rps = (uint64_t)ceil(capacity->max_rps),
        .cores = capacity->cores,
        .labels = json_incref(labels),
    };
    machine(out);
}
