"""The embedded PostgreSQL and SeaweedFS: started, checked and stopped by one small supervisor."""
