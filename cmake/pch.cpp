// Something to compile the precompiled header with.
