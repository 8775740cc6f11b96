"""What a job is: requests, jobs, attempts, states, decisions. Frozen values that know no Redis."""
