/* boot.S - from the BIOS to C in long mode: reads the rest of the disk to 64 KB, enables all vector registers of the
 * processor, and calls bare_main. */
    .set LOAD, 0x10000            /* where the program lies (bare.ld) */
    .set TABLES, 0x1000           /* page tables: three pages */
    .set PIECE, 64                /* sectors read at a time */

    .section .boot, "ax"
    .code16
    .globl _start
_start:
    cli
    xorw %ax, %ax
    movw %ax, %ds
    movw %ax, %ss
    movw $0x7c00, %sp
    movb %dl, drive
    inb $0x92, %al                /* A20 */
    orb $2, %al
    outb %al, $0x92
    movw $PIECES, %cx
read:
    pushw %cx
    movb $0x42, %ah
    movb drive, %dl
    movw $packet, %si
    int $0x13
    jc failed
    addw $(PIECE * 512 / 16), packet_segment
    addl $PIECE, packet_sector
    popw %cx
    loop read

    movw $TABLES / 16, %ax        /* the first gigabyte, as it is, in pages of 2 MB */
    movw %ax, %es
    xorw %di, %di
    xorl %eax, %eax
    movw $3 * 1024, %cx
    rep stosl
    movl $TABLES + 0x1000 + 3, %es:0
    movl $TABLES + 0x2000 + 3, %es:0x1000
    movl $0x83, %eax
    movw $0x2000, %di
entry:
    movl %eax, %es:(%di)
    addl $0x200000, %eax
    addw $8, %di
    cmpw $0x3000, %di
    jne entry

    movl $TABLES, %eax
    movl %eax, %cr3
    movl %cr4, %eax
    orl $0x40620, %eax            /* PAE, OSFXSR, OSXMMEXCPT, OSXSAVE */
    movl %eax, %cr4
    movl $0xc0000080, %ecx
    rdmsr
    orl $0x100, %eax              /* long mode */
    wrmsr
    lgdt gdt_pointer
    movl %cr0, %eax
    andl $~4, %eax                /* vectors are not emulated */
    orl $0x80000003, %eax
    movl %eax, %cr0
    ljmpl $8, $long_mode
failed:
    movb $'!', %al
    outb %al, $0xe9
    hlt

    .code64
long_mode:
    movw $16, %ax
    movw %ax, %ds
    movw %ax, %es
    movw %ax, %ss
    movl $0x200000, %esp          /* down to 1 MB */
    movl $13, %eax                /* which registers there are to be saved: of those, all of the vectors' */
    xorl %ecx, %ecx
    cpuid
    andl $0xe7, %eax
    xorl %edx, %edx
    xorl %ecx, %ecx
    xsetbv
    movl $__bss_start, %edi
    movl $__bss_end, %ecx
    subl %edi, %ecx
    xorl %eax, %eax
    rep stosb
    call bare_main
    hlt

    .balign 8
gdt:
    .quad 0, 0x00209a0000000000, 0x0000920000000000
gdt_pointer:
    .word . - gdt - 1
    .long gdt
packet:
    .byte 16, 0
    .word PIECE
    .word 0
packet_segment:
    .word LOAD / 16
packet_sector:
    .quad 1
drive:
    .byte 0
    .org 510
    .word 0xaa55
