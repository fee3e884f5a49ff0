-- AlterTable
ALTER TABLE "registration" ADD COLUMN     "delivered_at" TIMESTAMPTZ(3);
