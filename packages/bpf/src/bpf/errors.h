/* errno(3), as on every architecture these programs are built for. */
#ifndef PYISOLATE_BPF_ERRNO_H
#define PYISOLATE_BPF_ERRNO_H

#define EPERM 1
#define ENOMEM 12
#define EACCES 13

#endif
