#include "npy.h"

#include <stdio.h>
#include <string.h>

#include "../base/file.h"
#include "../format/bytes.h"

/* Magic and header come to a multiple of 64 bytes, the header ending in a newline: numpy.lib.format, version 1.0. */
static void put_header(QcWriter *w, uint32_t rows, uint32_t columns)
{
    enum { BEFORE = 10 };
    char text[118 + 1]; /* 128 in all: the dictionary with the largest shape takes 84 */
    memset(text, ' ', sizeof text);
    int length =
        snprintf(text, sizeof text, "{'descr': '<f4', 'fortran_order': False, 'shape': (%u, %u), }", rows, columns);
    text[length] = ' ';
    text[sizeof text - 2] = '\n';
    qc_put_bytes(w, "\x93NUMPY\x01\x00", 8);
    qc_put_u16(w, 128 - BEFORE);
    qc_put_bytes(w, text, 128 - BEFORE);
}

int qc_npy_save(const char *path, const float *values, uint32_t rows, uint32_t columns, QcErr *err)
{
    QcWriter w = {0};
    put_header(&w, rows, columns);
    qc_put_f32s(&w, values, (size_t)rows * columns);
    int status = qc_writer_check(&w, err) || qc_write_all(path, w.bytes, w.length, err) ? -1 : 0;
    qc_writer_release(&w);
    return status;
}
