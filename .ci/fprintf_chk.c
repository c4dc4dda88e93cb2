/* glibc's name for a checked fprintf: the unwinder of Debian's LLVM was compiled for glibc, and musl has no such function. */
#include <stdarg.h>
#include <stdio.h>

int __fprintf_chk(FILE *file, int flag, const char *format, ...) {
    va_list rest;
    va_start(rest, format);
    int written = vfprintf(file, format, rest);
    va_end(rest);
    return written;
}
