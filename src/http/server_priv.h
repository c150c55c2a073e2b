/* SPDX-License-Identifier: MIT */
/* What server.c (connections, input) and server_out.c (answers, output) share. */
#ifndef HTTP_SERVER_PRIV_H
#define HTTP_SERVER_PRIV_H

#include "http/server.h"

enum conn_state {
    CONN_READ,   /* between requests, or collecting one */
    CONN_BUSY,   /* the service has the exchange, nothing is answered */
    CONN_STREAM, /* an answer in pieces has begun */
    CONN_FLUSH,  /* the exchange is over, output still waits for the socket */
    CONN_LINGER, /* closing: input is thrown away, so that no reset overtakes our answer */
    CONN_CLOSED, /* freed in the last phase of this turn */
};

/* A request of which some is missing, or requests that were sent ahead. */
struct partial {
    struct buf raw; /* from the first byte of the head */
    size_t seen;    /* how far the end of the head was looked for */
    size_t need;    /* bytes of raw without which nothing can go on */
    bool chunked;   /* raw is a head of head_bytes, then what is not decoded yet */
    bool continued; /* 100 Continue was sent */
    bool head_done; /* the head is complete, and its time is over with it */
    size_t head_bytes;
    struct h1_body_reader reader;
    struct buf body; /* decoded */
};

/* Output that leaves in small pieces. */
struct pace {
    struct send send;
    struct conn *conn;
    size_t bytes;
    uint64_t pause_ns;
    uint64_t next_ns; /* not before */
};

struct conn {
    struct http_exchange x; /* first: a handle is a connection */
    struct stream *stream;
    struct list node;
    struct timer timer;
    uint64_t expires_ns; /* UINT64_MAX: never. The timer may fire earlier and looks again */
    struct defer work;   /* goes on after an exchange; frees the connection in the end */
    struct partial *partial;
    struct pace *pace;
    struct buf out; /* bytes that the socket has not taken */
    size_t out_at;  /* of these, already sent */
    uint8_t state;
    bool serving;     /* inside serve(): it goes on by itself */
    bool paused;      /* input was left in the socket */
    bool eof;         /* the peer has closed its half */
    bool broken;      /* a write failed inside a call: told later */
    bool close_after; /* this exchange is the connection's last */
    bool linger;      /* close by way of CONN_LINGER */
    bool http_1_0;    /* of the request being answered */
    bool head_only;   /* HEAD */
    bool chunked;     /* of the answer */
    bool wants_drain; /* a write said HTTP_WRITE_FULL */
};

static inline struct conn *of_exchange(struct http_exchange *x)
{
    return (struct conn *)(void *)x;
}

static inline bool conn_output_waits(const struct conn *c)
{
    return c->out.len > c->out_at;
}

/* server.c */
void conn_expire_at(struct conn *c, uint64_t at_ns);
void conn_close(struct conn *c, bool reset);
/* The exchange is over and all its output is sent. */
void conn_after_output(struct conn *c);

/* server_out.c */
/* Tries to send what waits. */
void conn_flush(struct conn *c);
/* An answer that the server gives by itself; closes. Only in CONN_READ. */
void conn_refuse(struct conn *c, int status, const char *text);
/* Once for each request that is being collected (c->partial). */
void conn_send_continue(struct conn *c);

#endif
