/* JPEG and PNG pictures */
#include "fuzz.h"
#include "../../lib/data/pixmap.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length)
{
    QcErr err = {0};
    QcPixmap p;
    float out[3 * 5 * 7];
    qc_max_bytes = 1 << 20;
    if (qc_pixmap_decode(&p, bytes, length, "image", &err)) fuzz_refused(&err);
    else
        fuzz_demand(!qc_pixmap_scale(out, 5, 7, &p, length % 2 ? QC_RESIZE_AREA : QC_RESIZE_BILINEAR, length % 3 == 0,
                                     length % 5 == 0, &err),
                    err.text);
    qc_pixmap_release(&p);
    return 0;
}
