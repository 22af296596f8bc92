"""What Django writes by itself, in every language: numbers as code has them. People read those of crm.kit.formats."""
