/** What people read of `EMFILE`: it says what to do (faults L16). */
export const tooManyFiles = "too many open files, raise their limit (ulimit -n)"
