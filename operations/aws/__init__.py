"""What any command on AWS needs: the account, errors in one line, names, prices, plans, records, waiting."""
