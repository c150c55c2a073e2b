/* SPDX-License-Identifier: MIT */
/*
 * Runs a fuzz target over the files of its corpus, with any compiler: corpora are ordinary tests.
 * Arguments are files and folders (not their sub-folders). An empty corpus fails: it would test
 * nothing without anybody seeing it.
 */
#include "fuzz/fuzz.h"

#include <dirent.h>
#include <sys/stat.h>

enum { INPUT_MAX = 1 << 20 };

static size_t runs;

static void run_file(const char *path)
{
    static uint8_t input[INPUT_MAX];
    FILE *f = fopen(path, "rb");
    uint8_t *exact;
    size_t len;

    if (f == NULL) {
        perror(path);
        exit(1);
    }
    len = fread(input, 1, sizeof input, f);
    if (ferror(f) || len == sizeof input) {
        fprintf(stderr, "%s: cannot be read, or too large\n", path);
        exit(1);
    }
    fclose(f);
    exact = xmalloc(len);
    memcpy(exact, input, len);
    LLVMFuzzerTestOneInput(exact, len);
    xfree(exact);
    runs++;
}

static void run_folder(const char *path)
{
    DIR *dir = opendir(path);
    const struct dirent *entry;

    if (dir == NULL) {
        perror(path);
        exit(1);
    }
    while ((entry = readdir(dir)) != NULL) {
        char file[4096];
        int n = snprintf(file, sizeof file, "%s/%s", path, entry->d_name);

        if (n < 0 || (size_t)n >= sizeof file) {
            fprintf(stderr, "%s: the path is too long\n", path);
            exit(1);
        }
        if (entry->d_name[0] != '.') {
            run_file(file);
        }
    }
    closedir(dir);
}

int main(int argc, char **argv)
{
    for (int i = 1; i < argc; i++) {
        struct stat st;

        if (stat(argv[i], &st) == 0 && S_ISDIR(st.st_mode)) {
            run_folder(argv[i]);
        } else {
            run_file(argv[i]);
        }
    }
    printf("%zu inputs\n", runs);
    return runs > 0 ? 0 : 1;
}
