// Chapter 4's numbers, smaller but in proportion, for tests that wait for the background.

export const QUICK = { REQUEST_DEADLINE_MS: '4000', ATTEMPT_TIMEOUT_MS: '1000', LEASE_MS: '6500', RESUME_SCAN_MS: '100' }

/** The window ends soon after the deadline; ended rows are looked at again at once. */
export const SHORT_WINDOW = { ...QUICK, REDELIVERY_WINDOW_MS: '4000', SWEEP_FIRST_LOOK_MS: '200', SWEEP_SECOND_LOOK_MS: '1500' }
