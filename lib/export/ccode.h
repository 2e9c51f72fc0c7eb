/* ccode.h - the code of an exported model, with @ for its prefix and @@ for the same in upper case: what is the same
 * for every model. */
#ifndef QC_EXPORT_CCODE_H
#define QC_EXPORT_CCODE_H

extern const char qc_c_code_head[];             /* ends the comment that opens the header, and what comes before its
                                                   numbers */
extern const char qc_c_code_header_common[];    /* the rest of the header, in this order */
extern const char qc_c_code_header_frames[];    /* either this or sound */
extern const char qc_c_code_header_sound[];     /* of models with a front-end */
extern const char qc_c_code_header_stream[];
extern const char qc_c_code_header_learner[];   /* of models that learn */
extern const char qc_c_code_common[];           /* what both kinds of sources have, after the tables */
extern const char qc_c_code_header_drift[];     /* of models that know their source's features */
extern const char qc_c_code_header_distance[];  /* of models that know how far source windows are */
extern const char qc_c_code_header_spare[];  /* of learners with spare classes */
extern const char qc_c_code_header_end[];
extern const char qc_c_code_predict[];
extern const char qc_c_code_learner[];
extern const char qc_c_code_spare[];
extern const char qc_c_code_frames[];           /* either this or sound */
extern const char qc_c_code_sound[];
extern const char qc_c_code_drift_predict[];
extern const char qc_c_code_drift_learner[];
extern const char qc_c_code_distance_predict[];
extern const char qc_c_code_distance_learner[];

#endif
