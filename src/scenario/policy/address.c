/* SPDX-License-Identifier: MIT */
#include "scenario/policy/address.h"

#include <arpa/inet.h>
#include <netinet/in.h>

enum { BLOCK_TEXT_MAX = 64 };

/* clang-format off */
#define V4(a, b, c, d)  {.bits = 32, .bytes = {(a), (b), (c), (d)}}
#define V6(...)         {.bits = 128, .bytes = {__VA_ARGS__}}
/* clang-format on */

/* The IANA special-purpose registries (RFC 6890) and the metadata services of the large clouds. */
static const struct address_class classes[] = {
    {{V4(169, 254, 169, 254), 32}, "METADATA_IP_BLOCKED", "a cloud metadata address", true, 0},
    {{V4(100, 100, 100, 200), 32}, "METADATA_IP_BLOCKED", "a cloud metadata address", true, 0},
    {{V6(0xfd, 0x00, 0x0e, 0xc2, [14] = 0x02, 0x54), 128},
     "METADATA_IP_BLOCKED",
     "a cloud metadata address",
     true,
     0},
    {{V4(127, 0, 0, 0), 8}, "LOOPBACK_BLOCKED", "a loopback address", false, 0},
    {{V6([15] = 1), 128}, "LOOPBACK_BLOCKED", "a loopback address", false, 0},
    {{V4(169, 254, 0, 0), 16}, "LINK_LOCAL_BLOCKED", "a link-local address", false, 0},
    {{V6(0xfe, 0x80), 10}, "LINK_LOCAL_BLOCKED", "a link-local address", false, 0},
    {{V4(224, 0, 0, 0), 4}, "MULTICAST_BLOCKED", "a multicast address", false, 0},
    {{V6(0xff), 8}, "MULTICAST_BLOCKED", "a multicast address", false, 0},
    {{V6(0xfc), 7}, "UNIQUE_LOCAL_BLOCKED", "a unique local address", false, 0},
    {{V4(10, 0, 0, 0), 8}, "PRIVATE_ADDRESS_BLOCKED", "a private address", false, 0},
    {{V4(172, 16, 0, 0), 12}, "PRIVATE_ADDRESS_BLOCKED", "a private address", false, 0},
    {{V4(192, 168, 0, 0), 16}, "PRIVATE_ADDRESS_BLOCKED", "a private address", false, 0},
    {{V4(192, 0, 0, 0), 24}, "PRIVATE_ADDRESS_BLOCKED", "a protocol assignment", false, 0},
    {{V4(0, 0, 0, 0), 8}, "PRIVATE_ADDRESS_BLOCKED", "an address of this network", false, 0},
    {{V6(0), 128}, "PRIVATE_ADDRESS_BLOCKED", "the unspecified address", false, 0},
    {{V4(100, 64, 0, 0), 10}, "PRIVATE_ADDRESS_BLOCKED", "a shared carrier address", false, 0},
    {{V4(240, 0, 0, 0), 4}, "PRIVATE_ADDRESS_BLOCKED", "a reserved address", false, 0},
    {{V6([10] = 0xff, 0xff), 96}, "IPV4_MAPPED_BLOCKED", "an IPv4-mapped address", false, 12},
    {{V6(0x00, 0x64, 0xff, 0x9b), 96}, "NAT64_BLOCKED", "a NAT64 address", false, 12},
    {{V6(0x00, 0x64, 0xff, 0x9b, 0x00, 0x01), 48},
     "NAT64_BLOCKED",
     "a NAT64 address of one network", /* RFC 8215 */
     false,
     12},
    {{V6(0), 96}, "PRIVATE_ADDRESS_BLOCKED", "an IPv4-compatible address", false, 12},
    {{V6(0x20, 0x02), 16}, "PRIVATE_ADDRESS_BLOCKED", "a 6to4 address", false, 2}, /* RFC 3056 */
    {{V6(0xfe, 0xc0), 10}, "PRIVATE_ADDRESS_BLOCKED", "a site-local address", false, 0},
    {{V6(0x01, 0x00), 64}, "PRIVATE_ADDRESS_BLOCKED", "an address that discards", false, 0},
    {{V6(0x20, 0x01), 23}, "PRIVATE_ADDRESS_BLOCKED", "a protocol assignment", false, 0},
    {{V6(0x5f, 0x00), 16}, "PRIVATE_ADDRESS_BLOCKED", "a segment routing address", false, 0},
    {{V4(198, 18, 0, 0), 15}, "PRIVATE_ADDRESS_BLOCKED", "a benchmarking address", false, 0},
    {{V4(192, 88, 99, 0), 24}, "PRIVATE_ADDRESS_BLOCKED", "a 6to4 relay", false, 0},
    {{V4(192, 0, 2, 0), 24}, "DOCUMENTATION_IP_BLOCKED", "a documentation address", false, 0},
    {{V4(198, 51, 100, 0), 24}, "DOCUMENTATION_IP_BLOCKED", "a documentation address", false, 0},
    {{V4(203, 0, 113, 0), 24}, "DOCUMENTATION_IP_BLOCKED", "a documentation address", false, 0},
    {{V6(0x20, 0x01, 0x0d, 0xb8), 32},
     "DOCUMENTATION_IP_BLOCKED",
     "a documentation address",
     false,
     0},
    {{V6(0x3f, 0xff), 20}, "DOCUMENTATION_IP_BLOCKED", "a documentation address", false, 0},
};

bool address_parse(const char *text, struct address *out)
{
    struct address a = {0};
    struct in_addr v4;

    if (inet_pton(AF_INET6, text, a.bytes) == 1) {
        a.bits = 128;
    } else if (text[0] >= '0' && text[0] <= '9' && inet_aton(text, &v4) != 0) {
        a.bits = 32;
        memcpy(a.bytes, &v4, 4);
    } else {
        return false;
    }
    *out = a;
    return true;
}

bool address_block_parse(const char *text, struct address_block *out)
{
    char base[BLOCK_TEXT_MAX];
    struct address_block block = {{0}, 0};
    size_t len = strcspn(text, "/");
    uint64_t prefix;

    if (len >= sizeof base) {
        return false;
    }
    memcpy(base, text, len);
    base[len] = '\0';
    if (!address_parse(base, &block.base)) {
        return false;
    }
    block.prefix = block.base.bits;
    if (text[len] == '/') {
        if (!str_u64(str_c(text + len + 1), block.base.bits, &prefix)) {
            return false;
        }
        block.prefix = (unsigned)prefix;
    }
    *out = block;
    return true;
}

bool address_from_sockaddr(const struct sockaddr *sa, struct address *out)
{
    struct sockaddr_in v4;
    struct sockaddr_in6 v6;

    *out = (struct address){0};
    if (sa->sa_family == AF_INET) {
        memcpy(&v4, sa, sizeof v4);
        memcpy(out->bytes, &v4.sin_addr, 4);
        out->bits = 32;
        return true;
    }
    if (sa->sa_family == AF_INET6) {
        memcpy(&v6, sa, sizeof v6);
        memcpy(out->bytes, &v6.sin6_addr, 16);
        out->bits = 128;
        return true;
    }
    return false;
}

bool address_equal(const struct address *a, const struct address *b)
{
    return a->bits == b->bits && memcmp(a->bytes, b->bytes, sizeof a->bytes) == 0;
}

bool address_in(const struct address *a, const struct address_block *block)
{
    if (a->bits != block->base.bits) {
        return false;
    }
    size_t whole = block->prefix / 8;
    unsigned rest = block->prefix % 8;
    if (memcmp(a->bytes, block->base.bytes, whole) != 0) {
        return false;
    }
    if (rest == 0) {
        return true;
    }
    unsigned mask = 0xffu << (8 - rest) & 0xffu;
    return (a->bytes[whole] & mask) == (block->base.bytes[whole] & mask);
}

const struct address_class *address_class_next(const struct address *a,
                                               const struct address_class *last)
{
    const struct address_class *end = classes + sizeof classes / sizeof classes[0];

    for (const struct address_class *c = last == NULL ? classes : last + 1; c < end; c++) {
        if (address_in(a, &c->block)) {
            return c;
        }
    }
    return NULL;
}

bool address_embedded(const struct address *a, struct address *out)
{
    for (const struct address_class *c = NULL; (c = address_class_next(a, c)) != NULL;) {
        if (c->embeds > 0) {
            *out = (struct address){.bits = 32};
            memcpy(out->bytes, a->bytes + c->embeds, 4);
            return true;
        }
    }
    return false;
}
