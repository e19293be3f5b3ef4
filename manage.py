#!/usr/bin/env python
"""Django's command line for Closer: `python manage.py help` lists the commands."""

from config.manage import main

if __name__ == "__main__":
    main()
