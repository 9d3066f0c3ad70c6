"""Commands that measure and print ratios. They need the sandbox's packages."""
