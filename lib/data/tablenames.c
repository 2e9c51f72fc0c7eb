/* What the name of a column says: usual names of labels, groups, recordings, times and row numbers. */
#include <string.h>

#include "table.h"

/* Small letters and digits alone: "User_ID" is userid. */
void qc_name_plain(char out[40], QcField name)
{
    size_t n = 0;
    for (const char *at = name.at; at && at < name.end && n < 39; at++)
        if ((*at >= 'a' && *at <= 'z') || (*at >= '0' && *at <= '9')) out[n++] = *at;
        else if (*at >= 'A' && *at <= 'Z') out[n++] = (char)(*at + 32);
    out[n] = 0;
}

static int is_one_of(QcField name, const char *const *words)
{
    char text[40];
    qc_name_plain(text, name);
    for (; *text && *words; words++)
        if (!strcmp(text, *words)) return 1;
    return 0;
}

int qc_name_is_label(QcField name)
{
    static const char *const words[] = {
        "label",      "labels",    "class",   "classes",     "target",  "targets",   "activity",      "activities",
        "category",   "gesture",   "species", "classlabel",  "classid", "classname", "activitylabel", "activityname",
        "activityid", "labelname", "labelid", "groundtruth", "gt",
        "outcome",    "diagnosis", "annotation", "behavior",  "behaviour",  NULL};
    return is_one_of(name, words);
}

int qc_name_is_group(QcField name)
{
    static const char *const words[] = {
        "group",     "user",      "subject",       "person",    "participant", "volunteer",
        "patient",   "wearer",    "userid",        "subjectid", "personid",    "participantid",
        "patientid", "subjectno", "subjectnumber", "username",  "machine",     "machineid",
        "device",    "deviceid",  "camera",        "cameraid",  NULL};
    return is_one_of(name, words);
}

int qc_name_is_recording(QcField name)
{
    static const char *const words[] = {"recording",  "recordingid",  "session", "sessionid", "trial", "trialid",
                                        "experiment", "experimentid", "file",    "filename",  NULL};
    return is_one_of(name, words);
}

int qc_name_is_time(QcField name)
{
    static const char *const words[] = {"t",       "ts",     "tms",          "tus",     "tns",
                                        "tsec",    "date",   "datetime",     "epoch",    "unixtime",
                                        "seconds", "millis", "milliseconds", "elapsed",  "sec",
                                        "secs",    "micros", "elapseds",     "elapsedms", NULL};
    char text[40];
    qc_name_plain(text, name);
    size_t n = strlen(text);
    if (is_one_of(name, words)) return 1;
    if (n && text[n - 1] >= '0' && text[n - 1] <= '9') return 0; /* time0, time1, ... are steps of a window */
    return !strncmp(text, "time", 4) || (n > 4 && !strcmp(text + n - 4, "time"));
}

/* The unit is the last word of a name, after a sign; or the end of a word, if the unit is long enough to be certain. */
double qc_name_unit(QcField name)
{
    static const struct {
        const char *word;
        double seconds;
        int apart; /* only as a word of its own: "times" are not seconds */
    } units[] = {
        {"milliseconds", 1e-3, 0}, {"millisecond", 1e-3, 0}, {"millis", 1e-3, 0}, {"msec", 1e-3, 0},
        {"millisec", 1e-3, 0}, {"microseconds", 1e-6, 0}, {"microsecond", 1e-6, 0}, {"micros", 1e-6, 0},
        {"usec", 1e-6, 0}, {"microsec", 1e-6, 0}, {"nanoseconds", 1e-9, 0}, {"nanosecond", 1e-9, 0},
        {"nanos", 1e-9, 0}, {"nsec", 1e-9, 0}, {"nanosec", 1e-9, 0}, {"ms", 1e-3, 0},
        {"us", 1e-6, 0}, {"ns", 1e-9, 0}, {"seconds", 1, 0}, {"second", 1, 0},
        {"secs", 1, 0}, {"sec", 1, 0}, {"minutes", 60, 0}, {"hours", 3600, 0},
        {"s", 1, 1}, {"min", 60, 1}, {"h", 3600, 1},
    };
    char text[40];
    const char *end = name.end, *word;
    qc_name_plain(text, name);
    size_t n = strlen(text), k = 0;
    while (name.at && end > name.at && strchr(" )]_.", end[-1])) end--;
    for (word = end; name.at && word > name.at && ((word[-1] | 32) >= 'a' && (word[-1] | 32) <= 'z'); word--) continue;
    int apart = name.at && word > name.at;
    if (apart && end - word == 1 && *word == 's' && (word[-1] == '\xb5' || word[-1] == '\xbc')) return 1e-6; /* Greek */
    for (; k < sizeof units / sizeof *units; k++) {
        size_t length = strlen(units[k].word);
        if (length > n || strcmp(text + n - length, units[k].word)) continue;
        if (!units[k].apart || (apart && (size_t)(end - word) == length)) return units[k].seconds;
    }
    return 0;
}

int qc_name_is_index(QcField name)
{
    static const char *const words[] = {"index",     "idx",    "id",       "row",      "rowid",      "rownames",
                                        "rownumber", "rownum", "no",       "num",      "number",     "unnamed0",
                                        "uuid",      "guid",   "sampleid", "recordid", "instanceid", NULL};
    return is_one_of(name, words);
}

/* May reveal the label. */
int qc_name_is_leak(QcField name)
{
    static const char *const words[] = {
        "ppm",       "ppb",   "concentration", "dose",  "position", "pos",      "location", "lat",  "lon", "latitude",
        "longitude", "batch", "fold",          "split", "order",    "sequence", "seq",      "step", NULL};
    char text[40];
    qc_name_plain(text, name);
    size_t n = strlen(text);
    return is_one_of(name, words) || (n > 2 && !strcmp(text + n - 2, "id"));
}
