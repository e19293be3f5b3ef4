"""All that an installation keeps, as one folder: database, files, keys. What is copied, how, and back again.

BACKUP/database/     db.sqlite3, or a compressed file for each table of Postgres
BACKUP/files/        every file of the storage, under its name there
BACKUP/keys/         SECRET_KEY, and what else only this installation knows
BACKUP/manifest.json written last: where it is, the backup is whole
"""
