"""Tables in Delta files, on a disk or in an object store, without a warehouse."""
