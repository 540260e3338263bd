"""Toolchains: the compilers and interpreters of the catalogue, installed as read-only root file systems.

    recipe.py    what a recipe folder says (pure data, and its digest)
    layers/      the sources that a recipe may name: Debian, Docker, npm, PyPI, a local archive
    build.py     builds a recipe's root file system in a scratch directory
    seal.py      makes it fit for untrusted tenants: no set-uid bits, no devices, read-only
    probe.py     asks the toolchain in a sealed root for its version and runs its hello-world
    digests.py   a root's content as a list of digests: written at installation, compared by `verify`
    sharing.py   makes equal files of several roots one file
    store.py     RUNCODE_HOME/toolchains: roots, records, manifests, each replaced as a whole
    install.py   install, remove, verify: the operations
    cli.py       the same as commands (`./manage.py toolchains`, `python -m execution.toolchains`)

Imports no Django and nothing outside the standard library: it runs before the virtual environment exists.
"""
