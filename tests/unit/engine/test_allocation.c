/* SPDX-License-Identifier: MIT */
/*
 * Nothing on the operation path allocates in steady state: counted, over thousands of operations.
 *
 * This executable brings its own malloc family, which counts and goes on to the C library's. The
 * sanitizers bring theirs, so under them the test is skipped.
 */
#include "unit/engine/world.h"

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define SANITIZED 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
#define SANITIZED 1
#endif
#endif
#ifndef SANITIZED
#define SANITIZED 0
#endif

static uint64_t allocations;

#if !SANITIZED
/* The names of the C library are not ours to choose. */
/* NOLINTBEGIN(bugprone-reserved-identifier,readability-identifier-naming) */
void *__libc_malloc(size_t size);
void *__libc_calloc(size_t count, size_t size);
void *__libc_realloc(void *p, size_t size);
/* NOLINTEND(bugprone-reserved-identifier,readability-identifier-naming) */

void *malloc(size_t size)
{
    allocations++;
    return __libc_malloc(size);
}

void *calloc(size_t count, size_t size)
{
    allocations++;
    return __libc_calloc(count, size);
}

void *realloc(void *p, size_t size)
{
    allocations++;
    return __libc_realloc(p, size);
}
#endif

static const char scenario[] =
    "{'target': {'url': 'http://localhost/mcp'}, 'workload': {'in_flight_per_vu': 2,"
    " 'operation_mix': [{'operation': 'tools_list', 'weight': 1},"
    "                   {'operation': 'tools_call', 'weight': 4}, {'operation': 'ping'}],"
    " 'tools': {'templates': [{'template_id': 'a', 'tool_name': 'echo', 'weight': 1},"
    "   {'template_id': 'b', 'tool_name': 'add', 'expects_streaming': true,"
    "    'arguments': {'n': '${op_seq}'}}]}},"
    " 'stages': [{'stage': 'baseline', 'duration_ms': 100000,"
    "             'load': {'target_vus': 5, 'start_spread_ms': 0}}]}";

static void check(bool sse, bool failing)
{
    struct world w;

    world_init(&w, scenario);
    w.peer.sse = sse;
    w.peer.fail_calls = failing;
    begin_stage(&w, 0, 100 * NS_PER_S);
    run_for(&w, 12 * NS_PER_S); /* every histogram and window has been made */
    uint64_t before = allocations, operations = total(&w, COUNT_STARTED);
    assert_true(before > 0); /* it does count */
    run_for(&w, 12 * NS_PER_S);
    uint64_t counted = allocations - before;
    operations = total(&w, COUNT_STARTED) - operations;
    print_message("%llu allocations in %llu operations\n", (unsigned long long)counted,
                  (unsigned long long)operations);
    assert_true(operations >= 10000);
    assert_int_equal(counted, 0);
    finish(&w);
    world_clear(&w);
}

static void json_answers(void **state)
{
    (void)state;
    if (SANITIZED) {
        skip();
    }
    check(false, false);
}

static void streams(void **state)
{
    (void)state;
    if (SANITIZED) {
        skip();
    }
    check(true, false);
}

static void failures(void **state)
{
    (void)state;
    if (SANITIZED) {
        skip();
    }
    check(false, true);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(json_answers),
        cmocka_unit_test(streams),
        cmocka_unit_test(failures),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
