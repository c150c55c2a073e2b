/* SPDX-License-Identifier: MIT */
#include "mock/state/session.h"

#include "base/list.h"
#include "base/mem.h"

#include <assert.h>
#include <pthread.h>

enum { STRIPES = 64, FIRST_BUCKETS = 16 };

struct mock_session {
    struct mock_session *next; /* of its bucket */
    struct list by_age;        /* of its stripe: the oldest first */
    struct mock_session_id id;
    uint64_t expires_ns; /* UINT64_MAX: never */
    bool attached;
};

struct stripe {
    pthread_mutex_t lock; /* guards the rest */
    struct mock_session **buckets;
    size_t bucket_count, count;
    struct list by_age;
};

struct mock_sessions {
    uint64_t ttl_ns;
    _Atomic uint64_t opened, deleted, expired, lost, open_max;
    struct stripe stripes[STRIPES];
};

struct mock_sessions *mock_sessions_new(uint64_t ttl_ns)
{
    struct mock_sessions *s = xcalloc(1, sizeof *s);

    s->ttl_ns = ttl_ns;
    for (size_t i = 0; i < STRIPES; i++) {
        struct stripe *stripe = &s->stripes[i];

        pthread_mutex_init(&stripe->lock, NULL);
        stripe->bucket_count = FIRST_BUCKETS;
        stripe->buckets = xcalloc(FIRST_BUCKETS, sizeof(struct mock_session *));
        list_init(&stripe->by_age);
    }
    return s;
}

static struct mock_session *oldest(const struct stripe *stripe)
{
    return list_empty(&stripe->by_age)
               ? NULL
               : list_entry(stripe->by_age.next, struct mock_session, by_age);
}

static struct mock_session **slot_of(const struct stripe *stripe, struct mock_session_id id)
{
    struct mock_session **at = &stripe->buckets[id.hi & (stripe->bucket_count - 1)];

    while (*at != NULL && ((*at)->id.hi != id.hi || (*at)->id.lo != id.lo)) {
        at = &(*at)->next;
    }
    return at;
}

static void remove_at(struct stripe *stripe, struct mock_session **slot)
{
    struct mock_session *session = *slot;

    assert(session != NULL);
    *slot = session->next;
    list_remove(&session->by_age);
    stripe->count--;
    xfree(session);
}

/* All live equally long, so the oldest expire first. */
static void sweep(struct mock_sessions *s, struct stripe *stripe, uint64_t now_ns)
{
    struct mock_session *session;

    while ((session = oldest(stripe)) != NULL && session->expires_ns <= now_ns) {
        remove_at(stripe, slot_of(stripe, session->id));
        atomic_fetch_add(&s->expired, 1);
    }
}

void mock_sessions_free(struct mock_sessions *s)
{
    if (s == NULL) {
        return;
    }
    for (size_t i = 0; i < STRIPES; i++) {
        struct stripe *stripe = &s->stripes[i];
        struct mock_session *session;

        while ((session = oldest(stripe)) != NULL) {
            remove_at(stripe, slot_of(stripe, session->id));
        }
        xfree(stripe->buckets);
        pthread_mutex_destroy(&stripe->lock);
    }
    xfree(s);
}

static void grow(struct stripe *stripe)
{
    size_t count = stripe->bucket_count * 2;
    struct mock_session **buckets = xcalloc(count, sizeof(struct mock_session *));

    for (size_t i = 0; i < stripe->bucket_count; i++) {
        struct mock_session *next;

        for (struct mock_session *session = stripe->buckets[i]; session != NULL; session = next) {
            next = session->next;
            session->next = buckets[session->id.hi & (count - 1)];
            buckets[session->id.hi & (count - 1)] = session;
        }
    }
    xfree(stripe->buckets);
    stripe->buckets = buckets;
    stripe->bucket_count = count;
}

/* Locked, and without expired sessions. */
static struct stripe *enter(struct mock_sessions *s, struct mock_session_id id, uint64_t now_ns)
{
    struct stripe *stripe = &s->stripes[id.lo % STRIPES];

    pthread_mutex_lock(&stripe->lock);
    sweep(s, stripe, now_ns);
    return stripe;
}

static uint64_t open_now(struct mock_sessions *s)
{
    /* What ended is read first: it can only be less than what was opened by then. */
    uint64_t ended = mock_sessions_ended(s);

    return atomic_load(&s->opened) - ended;
}

static void note_open(struct mock_sessions *s)
{
    uint64_t open = open_now(s), max = atomic_load(&s->open_max);

    while (open > max && !atomic_compare_exchange_weak(&s->open_max, &max, open)) {
    }
}

void mock_sessions_reset_max(struct mock_sessions *s)
{
    atomic_store(&s->open_max, open_now(s));
}

bool mock_sessions_open(struct mock_sessions *s, struct mock_session_id id, uint64_t now_ns)
{
    struct stripe *stripe = enter(s, id, now_ns);
    struct mock_session **slot = slot_of(stripe, id);
    bool fits = *slot == NULL && stripe->count < SESSIONS_MAX / STRIPES;

    if (fits) {
        struct mock_session *session = xcalloc(1, sizeof *session);

        session->id = id;
        session->expires_ns = s->ttl_ns == 0 ? UINT64_MAX : now_ns + s->ttl_ns;
        *slot = session;
        list_append(&stripe->by_age, &session->by_age);
        stripe->count++;
        atomic_fetch_add(&s->opened, 1);
        note_open(s);
        if (stripe->count > stripe->bucket_count) {
            grow(stripe);
        }
    }
    pthread_mutex_unlock(&stripe->lock);
    return fits;
}

bool mock_sessions_alive(struct mock_sessions *s, struct mock_session_id id, uint64_t now_ns)
{
    struct stripe *stripe = enter(s, id, now_ns);
    bool alive = *slot_of(stripe, id) != NULL;

    pthread_mutex_unlock(&stripe->lock);
    return alive;
}

static bool end_session(struct mock_sessions *s,
                        struct mock_session_id id,
                        uint64_t now_ns,
                        _Atomic uint64_t *n)
{
    struct stripe *stripe = enter(s, id, now_ns);
    struct mock_session **slot = slot_of(stripe, id);
    bool alive = *slot != NULL;

    if (alive) {
        remove_at(stripe, slot);
        atomic_fetch_add(n, 1);
    }
    pthread_mutex_unlock(&stripe->lock);
    return alive;
}

bool mock_sessions_delete(struct mock_sessions *s, struct mock_session_id id, uint64_t now_ns)
{
    return end_session(s, id, now_ns, &s->deleted);
}

bool mock_sessions_lose(struct mock_sessions *s, struct mock_session_id id, uint64_t now_ns)
{
    return end_session(s, id, now_ns, &s->lost);
}

uint64_t mock_sessions_lose_all(struct mock_sessions *s, uint64_t now_ns)
{
    uint64_t lost = 0;

    for (size_t i = 0; i < STRIPES; i++) {
        struct stripe *stripe = &s->stripes[i];
        struct mock_session *session;

        pthread_mutex_lock(&stripe->lock);
        sweep(s, stripe, now_ns);
        while ((session = oldest(stripe)) != NULL) {
            remove_at(stripe, slot_of(stripe, session->id));
            lost++;
        }
        pthread_mutex_unlock(&stripe->lock);
    }
    atomic_fetch_add(&s->lost, lost);
    return lost;
}

bool mock_sessions_attach(struct mock_sessions *s, struct mock_session_id id, uint64_t now_ns)
{
    struct stripe *stripe = enter(s, id, now_ns);
    struct mock_session *session = *slot_of(stripe, id);
    bool first = session != NULL && !session->attached;

    if (first) {
        session->attached = true;
    }
    pthread_mutex_unlock(&stripe->lock);
    return first;
}

void mock_sessions_detach(struct mock_sessions *s, struct mock_session_id id)
{
    struct stripe *stripe = enter(s, id, 0);
    struct mock_session *session = *slot_of(stripe, id);

    if (session != NULL) {
        session->attached = false;
    }
    pthread_mutex_unlock(&stripe->lock);
}

struct mock_session_counts mock_sessions_count(struct mock_sessions *s, uint64_t now_ns)
{
    for (size_t i = 0; i < STRIPES; i++) {
        struct stripe *stripe = &s->stripes[i];

        pthread_mutex_lock(&stripe->lock);
        sweep(s, stripe, now_ns);
        pthread_mutex_unlock(&stripe->lock);
    }
    return (struct mock_session_counts){
        .opened = atomic_load(&s->opened),
        .deleted = atomic_load(&s->deleted),
        .expired = atomic_load(&s->expired),
        .lost = atomic_load(&s->lost),
        .open_max = atomic_load(&s->open_max),
    };
}

uint64_t mock_sessions_ended(struct mock_sessions *s)
{
    return atomic_load(&s->deleted) + atomic_load(&s->expired) + atomic_load(&s->lost);
}

void mock_session_id_text(struct mock_session_id id, char out[SESSION_ID_LEN])
{
    static const char hex[] = "0123456789abcdef";

    for (unsigned i = 0; i < SESSION_ID_LEN / 2; i++) {
        unsigned shift = 60 - 4 * i;

        out[i] = hex[(id.hi >> shift) & 15];
        out[i + SESSION_ID_LEN / 2] = hex[(id.lo >> shift) & 15];
    }
}

static bool read_half(const char *p, uint64_t *out)
{
    uint64_t v = 0;

    for (unsigned i = 0; i < SESSION_ID_LEN / 2; i++) {
        char c = p[i];

        if (c >= '0' && c <= '9') {
            v = v << 4 | (uint64_t)(c - '0');
        } else if (c >= 'a' && c <= 'f') {
            v = v << 4 | (uint64_t)(c - 'a' + 10);
        } else {
            return false;
        }
    }
    *out = v;
    return true;
}

bool mock_session_id_read(struct str text, struct mock_session_id *out)
{
    return text.len == SESSION_ID_LEN && read_half(text.p, &out->hi) &&
           read_half(text.p + SESSION_ID_LEN / 2, &out->lo);
}
