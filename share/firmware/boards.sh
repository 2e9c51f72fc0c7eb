# boards.sh - sourced by tests and benches: the cores that QEMU has boards for.
#   choose_core NAME   sets machine (QEMU's board), cpu (the compiler's flags), table (the kernels' table) and places
#                      (flags with the addresses of code, RAM and a further pool of 12 MB); status not 0 if there is no
#                      such core

cores='m0plus m3 m4 m7 m33 m55'

choose_core() {
    code=0 ram=0x20000000 pool=0x21000000
    case $1 in
    # no board has an M0+; an M3 runs its instructions
    m0plus) machine=mps2-an385 cpu='-mcpu=cortex-m0plus -mfloat-abi=soft' table=qc_kernels_scalar ;;
    m3) machine=mps2-an385 cpu='-mcpu=cortex-m3 -mfloat-abi=soft' table=qc_kernels_scalar ;;
    m4) machine=mps2-an386 cpu='-mcpu=cortex-m4 -mfloat-abi=hard -mfpu=fpv4-sp-d16' table=qc_kernels_dsp ;;
    m7) machine=mps2-an500 cpu='-mcpu=cortex-m7 -mfloat-abi=hard -mfpu=fpv5-d16' table=qc_kernels_dsp pool=0x60000000 ;;
    m33) machine=mps2-an505 cpu='-mcpu=cortex-m33 -mfloat-abi=hard -mfpu=fpv5-sp-d16' table=qc_kernels_dsp \
        code=0x10000000 ram=0x38000000 pool=0x80000000 ;;
    m55) machine=mps3-an547 cpu='-mcpu=cortex-m55 -mfloat-abi=hard' table=qc_kernels_mve ram=0x21000000 \
        pool=0x70000000 ;;
    *) return 1 ;;
    esac
    places="-DCODE_BEGINS=$code -DRAM_BEGINS=$ram -DPOOL_BEGINS=$pool"
    places="$places -Wl,--defsym=CODE_BEGINS=$code -Wl,--defsym=RAM_BEGINS=$ram"
}
