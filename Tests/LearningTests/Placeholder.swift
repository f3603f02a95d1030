// Replaced as the tests grow.
