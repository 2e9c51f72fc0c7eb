/* confine.h - a process that runs a library on an untrusted file gives up what the library does not need. */
#ifndef QC_DATA_CONFINE_H
#define QC_DATA_CONFINE_H

/* From here on this process can read and write what it has open, take memory, and end: system calls of any other kind
 * fail with EPERM. It opens no file, starts no process, sends no signal. -1: the kernel or the processor has no such
 * filter. */
int qc_confine(void);

#endif
