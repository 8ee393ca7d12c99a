"""Remote commands: read, permitted or refused, remembered, carried out at the desk, answered.

`names` lists them, `arguments` says what each takes, `actions` what each does, `permit` who may,
`memory` which were carried out already, and `commands` puts these together off the network thread.
`sender` and `cli` are the other end: `leukoscope-edge command`. Nothing is imported here, so that
settings may name commands without loading OpenCV.
"""
