/* SPDX-License-Identifier: MIT */
/* The mock's own account (GET /stats), asked over a loopback socket. */
#ifndef SUPPORT_MOCK_STATS_H
#define SUPPORT_MOCK_STATS_H

#include "base/json.h"
#include "support/unit.h"

#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

/* The caller owns it. */
static inline json_t *mock_stats_ask(unsigned port)
{
    static const char request[] =
        "GET /stats HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n";
    struct sockaddr_in to = {.sin_family = AF_INET,
                             .sin_port = htons((uint16_t)port),
                             .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    char answer[16384];
    size_t len = 0;
    ssize_t n;
    json_t *out = NULL;

    assert_int_equal(connect(fd, (struct sockaddr *)&to, sizeof to), 0);
    assert_int_equal(send(fd, request, sizeof request - 1, 0), sizeof request - 1);
    while ((n = recv(fd, answer + len, sizeof answer - 1 - len, 0)) > 0) {
        len += (size_t)n;
    }
    close(fd);
    answer[len] = '\0';
    const char *body = strstr(answer, "\r\n\r\n");
    assert_non_null(body);
    assert_int_equal(json_parse(str_c(body + 4), sizeof answer, &out, NULL), 0);
    return out;
}

/* How many requests of that method it has had. */
static inline uint64_t mock_stats_requests(unsigned port, const char *method)
{
    json_t *stats = mock_stats_ask(port);
    json_int_t n = json_integer_value(json_object_get(json_object_get(stats, "requests"), method));

    json_decref(stats);
    return (uint64_t)n;
}

#endif
