/* tree.h - folders of files: what is in them, always in the same order, and never anything but folders and regular
 * files (reading a pipe or device with the name of a data file could block).
 */
#ifndef QC_DATA_TREE_H
#define QC_DATA_TREE_H

#include <stdint.h>

#include "../base/arena.h"

enum { QC_PATH_ROOM = 4096 };

typedef struct QcEntry {
    const char *name; /* within its folder */
    const char *path; /* with the folder's path in front */
    int is_folder;    /* else a regular file */
} QcEntry;

typedef struct QcFolder {
    QcEntry *entries; /* [n], sorted by name, numbers within names by value (a2 before a10) */
    uint32_t n;
} QcFolder; /* all in the arena; hidden names (.x) are left out */

int qc_folder_read(QcFolder *folder, const char *path, QcArena *arena, QcErr *err);

int qc_is_folder(const char *path);
/* 1 if the name ends so, in either case; a .gz after it counts as nothing. */
int qc_path_ends_in(const char *path, const char *ending);
/* -1 unless it is a folder: "PATH is a file, but WHAT is a folder". */
int qc_need_folder(const char *path, const char *what, QcErr *err);
/* "a/b" in QC_PATH_ROOM bytes; -1 if it is too long. */
int qc_path_join(char out[QC_PATH_ROOM], const char *folder, const char *name, QcErr *err);
/* The last part of the path, as the file system spells it ("." and "x/.." are resolved): in QC_PATH_ROOM bytes. */
int qc_path_name(char out[QC_PATH_ROOM], const char *path, QcErr *err);
/* "a12" with prefix "a" and suffix "" is 12; 0 if the name is of another kind or the number is above 999999. */
uint32_t qc_name_number(const char *name, const char *prefix, const char *suffix);

#endif
