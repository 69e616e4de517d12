export { KernelLabError, type KernelLabProblem } from './kernel-lab-error.js'
export { type LabKernel, labKernels } from './kernels.js'
export { type LabResult, type LabRun, runInKernel } from './run-in-kernel.js'
export { kernelLabAbsence, skipUnlessKernelLab } from './skip.js'
