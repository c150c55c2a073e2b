/* SPDX-License-Identifier: MIT */
/* `examples`: the scenarios that come with the program, and what each shows. */
#include "base/arena.h"
#include "base/json.h"
#include "cli/cli.h"
#include "cli/share.h"
#include "report/text/text.h"

#include <dirent.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define PAGE_TEXT_MAX ((size_t)1024 * 1024)

#define SENTENCE_TEXT_MAX ((size_t)4 * 1024)

enum { EXAMPLES_MAX = 500, FOLDERS_DEEP = 4, SENTENCE_MAX = 200, WORDS_MIN = 25 };

struct listing {
    const char *share;
    struct arena arena;
    size_t count;
    const char *paths[EXAMPLES_MAX]; /* below the share folder, as one may type them */
};

static bool is_folder(const char *path)
{
    struct stat st;

    return stat(path, &st) == 0 && S_ISDIR(st.st_mode);
}

static bool is_scenario(const char *path)
{
    size_t len = strlen(path);

    return len > 5 && strcmp(path + len - 5, ".json") == 0;
}

/* Adds the scenarios of a folder and of those in it. */
static void collect(struct listing *l, const char *folder, unsigned depth)
{
    DIR *dir = opendir(arena_printf(&l->arena, "%s/%s", l->share, folder));

    if (dir == NULL) {
        return;
    }
    while (l->count < EXAMPLES_MAX) {
        /* NOLINTNEXTLINE(concurrency-mt-unsafe): there is no other thread */
        struct dirent *entry = readdir(dir);
        if (entry == NULL) {
            break;
        }
        char *path = arena_printf(&l->arena, "%s/%s", folder, entry->d_name);

        if (entry->d_name[0] == '.') {
            continue;
        }
        if (is_scenario(path)) {
            l->paths[l->count++] = path;
        } else if (depth < FOLDERS_DEEP &&
                   is_folder(arena_printf(&l->arena, "%s/%s", l->share, path))) {
            collect(l, path, depth + 1);
        }
    }
    closedir(dir);
}

static int by_path(const void *a, const void *b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/* Up to the first full stop or question mark that ends a sentence. */
static struct str first_sentence(const char *text)
{
    size_t len = strcspn(text, ".?!");

    while (text[len] != '\0' && text[len + 1] != '\0' && text[len + 1] != ' ') {
        len += 1 + strcspn(text + len + 1, ".?!");
    }
    return (struct str){text, len + (text[len] != '\0')};
}

/* What the file says about itself; its name when it says nothing. */
static int add_sentence(struct listing *l, const char *path, struct buf *out)
{
    json_t *document = NULL;
    const char *full = arena_printf(&l->arena, "%s/%s", l->share, path);
    const char *name = strrchr(path, '/') + 1;
    struct str text = {name, strlen(name) - strlen(".json")};

    if (json_parse_file(full, JSON_TEXT_MAX, &document, NULL) == 0) {
        const json_t *description =
            json_object_get(json_object_get(document, "metadata"), "description");
        if (json_is_string(description)) {
            text = first_sentence(json_string_value(description));
        }
    }
    int rc = text_add_safe(out, text, SENTENCE_MAX);
    json_decref(document);
    return rc;
}

/* The words of a text, in lines that begin at `left` and end before `right`. */
static int add_wrapped(struct buf *out, struct str text, size_t left, size_t right)
{
    size_t at = left;
    int rc = 0;

    while (rc == 0 && text.len > 0) {
        const char *blank = memchr(text.p, ' ', text.len);
        struct str word = {text.p, blank != NULL ? (size_t)(blank - text.p) : text.len};
        size_t width = text_width(word);

        if (at > left && at + 1 + width >= right) {
            rc = buf_printf(out, "\n%*s", (int)left, "");
            at = left;
        } else if (at > left) {
            rc = buf_add_c(out, " ");
            at++;
        }
        if (rc == 0) {
            rc = buf_add_str(out, word);
        }
        at += width;
        word.len += blank != NULL;
        text = (struct str){text.p + word.len, text.len - word.len};
    }
    return rc != 0 ? rc : buf_add_c(out, "\n");
}

static int
write_row(struct listing *l, const char *path, size_t left, size_t right, struct buf *out)
{
    struct buf sentence;

    buf_init(&sentence, SENTENCE_TEXT_MAX);
    int rc = add_sentence(l, path, &sentence);
    if (rc == 0) {
        rc = text_add_left(out, str_c(path), left);
    }
    if (rc == 0) {
        rc = add_wrapped(out, buf_str(&sentence), left, right);
    }
    buf_clear(&sentence);
    return rc;
}

/* Lines are broken where people read, if there is room for a column of words at all. */
static int write_table(struct listing *l, struct buf *out)
{
    struct text_style style = text_style_of(STDOUT_FILENO);
    size_t left = 0, right = SIZE_MAX;
    int rc = 0;

    for (size_t i = 0; i < l->count; i++) {
        size_t width = text_width(str_c(l->paths[i])) + 2;
        left = width > left ? width : left;
    }
    if (style.terminal && style.columns >= left + WORDS_MIN) {
        right = style.columns;
    }
    for (size_t i = 0; rc == 0 && i < l->count; i++) {
        rc = write_row(l, l->paths[i], left, right, out);
    }
    return rc != 0 ? rc
                   : buf_add_c(out, "\nThese paths work from any folder: mcpdrill run "
                                    "examples/quick-start.json\nAll of them are for a server on "
                                    "port 9000; mcpdrill mock --addr :9000 is one.\n");
}

static int print_table(const char *share)
{
    static struct listing l; /* too large for a stack */
    struct buf out;

    l = (struct listing){.share = share};
    collect(&l, "examples", 0);
    qsort(l.paths, l.count, sizeof l.paths[0], by_path);
    buf_init(&out, PAGE_TEXT_MAX);
    int rc = write_table(&l, &out) == 0 ? cli_print(buf_str(&out)) : EXIT_INTERNAL;
    buf_clear(&out);
    arena_clear(&l.arena);
    return rc;
}

/* Without the links of a build: who copies the folder wants what is in it. */
static int print_folder(const char *share)
{
    char path[SHARE_PATH_MAX + 16], real[PATH_MAX], line[PATH_MAX + 1];

    snprintf(path, sizeof path, "%s/examples", share);
    if (realpath(path, real) == NULL) {
        fprintf(stderr, "mcpdrill examples: cannot read %.300s\n", path);
        return EXIT_INTERNAL;
    }
    snprintf(line, sizeof line, "%s\n", real);
    return cli_print(str_c(line));
}

int cmd_examples(const struct opt_args *args)
{
    char program_dir[SHARE_PATH_MAX], share[SHARE_PATH_MAX];

    if (!share_folder(share_program_dir(program_dir), share)) {
        fprintf(stderr,
                "mcpdrill examples: there are none in %.300s and %.300s/" SHARE_FROM_BIN "\n",
                program_dir, program_dir);
        return EXIT_INTERNAL;
    }
    return opt_has(args, "path") ? print_folder(share) : print_table(share);
}
