(* All batches of B samples that can be drawn without replacement, and the first two moments of their means. *)

From Coq Require Import Reals Lra Lia List.
From ImplicitSmoothness Require Import Sums.
Import ListNotations.
Open Scope R_scope.

(* The sublists of length B. Places count, so equal samples are drawn apart. *)
Fixpoint batches {A : Type} (B : nat) (l : list A) : list (list A) :=
  match B, l with
  | O, _ => [[]]
  | S _, [] => []
  | S C, a :: rest => map (cons a) (batches C rest) ++ batches B rest
  end.

(* p = (n - B) / (B (n - 1)) of walker2023, Theorem 2.4; for n = 1, where that is 0 / 0, Coq has 0 * / 0 = 0. *)
Definition noise_share (n B : nat) : R := (INR n - INR B) / (INR B * (INR n - 1)).

Fixpoint choose (n k : nat) : nat :=
  match k, n with
  | O, _ => 1
  | S _, O => 0
  | S j, S m => choose m j + choose m k
  end.

Lemma choose_zero n : choose n 0 = 1%nat.
Proof. now destruct n. Qed.

Lemma choose_succ n k : choose (S n) (S k) = (choose n k + choose n (S k))%nat.
Proof. reflexivity. Qed.

Lemma choose_absorbs n : forall k, (S k * choose (S n) (S k) = S n * choose n k)%nat.
Proof.
  induction n as [|n IH]; intros k.
  - destruct k; simpl; lia.
  - rewrite choose_succ. destruct k as [|k].
    + rewrite choose_zero. pose proof (IH 0%nat) as one. rewrite choose_zero in one. lia.
    + pose proof (IH k). pose proof (IH (S k)). rewrite (choose_succ n k) in *. nia.
Qed.

Lemma choose_pos n : forall k, (k <= n)%nat -> (0 < choose n k)%nat.
Proof.
  induction n as [|n IH]; intros k H; destruct k; try (simpl; lia). rewrite choose_succ.
  assert (0 < choose n k)%nat by (apply IH; lia). lia.
Qed.

(* How many batches hold one given sample, and two, of n. *)
Definition with_one (n B : nat) : nat := match n, B with S m, S C => choose m C | _, _ => 0 end.
Definition with_two (n B : nat) : nat := match n, B with S m, S C => with_one m C | _, _ => 0 end.

Lemma with_one_succ n B : (1 <= n)%nat -> (with_one n B + with_one n (S B) = choose n B)%nat.
Proof. destruct n; [lia|]. intros _. destruct B; simpl; [now rewrite !choose_zero|reflexivity]. Qed.

Lemma with_two_succ n B : (2 <= n)%nat -> (with_two n B + with_two n (S B) = with_one n B)%nat.
Proof. destruct n as [|n]; [lia|]. intros H. destruct B; [now destruct n|]. simpl. apply with_one_succ. lia. Qed.

Section Moments.
  Context {A : Type}.
  Variable f : A -> R.

  Lemma batch_length B (l b : list A) : In b (batches B l) -> length b = B.
  Proof.
    revert B b. induction l as [|a l IH]; intros B b H; destruct B as [|B]; simpl in H; try easy.
    - destruct H as [<-|[]]. reflexivity.
    - destruct H as [<-|[]]. reflexivity.
    - apply in_app_or in H as [H|H]; [|now apply IH].
      apply in_map_iff in H as [c [<- H]]. simpl. f_equal. now apply IH.
  Qed.

  Lemma batch_members B (l b : list A) a : In b (batches B l) -> In a b -> In a l.
  Proof.
    revert B b. induction l as [|c l IH]; intros B b H Ha; destruct B as [|B]; simpl in H; try easy.
    - destruct H as [<-|[]]. easy.
    - destruct H as [<-|[]]. easy.
    - apply in_app_or in H as [H|H]; [|right; now apply (IH (S B) b)].
      apply in_map_iff in H as [e [<- H]]. destruct Ha as [->|Ha]; [now left|right; now apply (IH B e)].
  Qed.

  Lemma count_batches B (l : list A) : length (batches B l) = choose (length l) B.
  Proof.
    revert B. induction l as [|a l IH]; intros B; destruct B as [|B]; try easy.
    simpl batches. rewrite app_length, map_length, !IH. reflexivity.
  Qed.

  Lemma sum_of_batches B (l : list A) : sum (sum f) (batches B l) = INR (with_one (length l) B) * sum f l.
  Proof.
    revert B. induction l as [|a l IH]; intros B; destruct B as [|B]; try (simpl; ring).
    simpl batches. rewrite sum_app, sum_map. simpl sum. rewrite sum_plus, sum_const, !IH, count_batches.
    simpl with_one. destruct l as [|b l]; [simpl; ring|].
    rewrite <- (with_one_succ (length (b :: l)) B), !plus_INR by (simpl; lia). ring.
  Qed.

  Lemma squares_of_batches B (l : list A) :
    sum (fun b => sum f b * sum f b) (batches B l)
    = INR (with_one (length l) B) * sum (fun a => f a * f a) l
      + INR (with_two (length l) B) * (sum f l * sum f l - sum (fun a => f a * f a) l).
  Proof.
    revert B. induction l as [|a l IH]; intros B; destruct B as [|B]; try (simpl; ring).
    simpl batches. rewrite sum_app, sum_map. simpl sum.
    rewrite (sum_eq _ (fun b => f a * f a + 2 * f a * sum f b + sum f b * sum f b)) by (intros; ring).
    rewrite !sum_plus, sum_const, sum_scal, sum_of_batches, !IH, count_batches. simpl with_one. simpl with_two.
    destruct l as [|b [|c l]]; [simpl; ring| |].
    - destruct B as [|[|B]]; simpl; ring.
    - set (m := b :: c :: l).
      rewrite <- (with_one_succ (length m) B) by (simpl; lia).
      assert (INR (with_one (length m) B) = INR (with_two (length m) B) + INR (with_two (length m) (S B))) as pairs
        by (rewrite <- plus_INR, with_two_succ by (simpl; lia); reflexivity).
      rewrite !plus_INR, pairs. ring.
  Qed.

  Lemma batches_exist B (l : list A) : (B <= length l)%nat -> batches B l <> [].
  Proof.
    intros H E. pose proof (count_batches B l) as C. rewrite E in C. pose proof (choose_pos (length l) B H).
    simpl in C. lia.
  Qed.

  (* The mean over the batches of the mean over a batch. *)
  Lemma mean_of_batches B (l : list A) :
    (1 <= B <= length l)%nat -> mean (mean f) (batches B l) = mean f l.
  Proof.
    intros [low high].
    rewrite (mean_eq _ (fun b => / INR B * sum f b))
      by (intros b H; unfold mean, Rdiv; rewrite (batch_length _ _ _ H); ring).
    rewrite mean_scal. unfold mean. rewrite sum_of_batches, count_batches.
    destruct B as [|C]; [lia|]. destruct (length l) as [|m]; [lia|]. simpl with_one.
    pose proof (choose_absorbs m C) as absorbed. apply (f_equal INR) in absorbed. rewrite !mult_INR in absorbed.
    pose proof (lt_0_INR _ (choose_pos (S m) (S C) high)).
    assert (0 < INR (S C)) by (apply lt_0_INR; lia). assert (0 < INR (S m)) by (apply lt_0_INR; lia).
    assert (INR (choose m C) = INR (S C) * INR (choose (S m) (S C)) / INR (S m)) as ->
      by (rewrite absorbed; field; lra).
    field. repeat split; lra.
  Qed.

  (* walker2023, Theorem 2.4: the second moment of a batch mean. *)
  Lemma square_of_batches B (l : list A) :
    (1 <= B <= length l)%nat ->
    mean (fun b => mean f b * mean f b) (batches B l)
    = mean f l * mean f l + noise_share (length l) B * (mean (fun a => f a * f a) l - mean f l * mean f l).
  Proof.
    intros [low high].
    rewrite (mean_eq _ (fun b => / INR B * / INR B * (sum f b * sum f b)))
      by (intros b H; unfold mean, Rdiv; rewrite (batch_length _ _ _ H); ring).
    rewrite mean_scal. unfold mean. rewrite squares_of_batches, count_batches.
    destruct B as [|C]; [lia|]. destruct (length l) as [|m] eqn:size; [lia|]. simpl with_one. simpl with_two.
    set (q := sum (fun a => f a * f a) l). set (s := sum f l).
    pose proof (choose_absorbs m C) as one. apply (f_equal INR) in one. rewrite !mult_INR in one.
    pose proof (lt_0_INR _ (choose_pos (S m) (S C) high)) as all. set (N := INR (choose (S m) (S C))) in *.
    assert (0 < INR (S C)) as B_pos by (apply lt_0_INR; lia). assert (0 < INR (S m)) as n_pos by (apply lt_0_INR; lia).
    assert (INR (choose m C) = INR (S C) * N / INR (S m)) as -> by (rewrite one; field; lra).
    destruct m as [|m].
    - (* one sample, one batch *)
      assert (C = 0%nat) as -> by lia. assert (noise_share 1 1 = 0) as -> by (unfold noise_share; lra).
      destruct l as [|a [|b l]]; try easy. unfold q, s, N. simpl. field.
    - assert (INR (with_one (S m) C) = INR C * (INR (S C) * N / INR (S (S m))) / INR (S m)) as ->.
      { destruct C as [|C]; [simpl with_one; simpl INR at 1 2; unfold Rdiv; ring|].
        simpl with_one. pose proof (choose_absorbs m C) as two. apply (f_equal INR) in two. rewrite !mult_INR in two.
        assert (INR (S (S C)) * N / INR (S (S m)) = INR (choose (S m) (S C))) as -> by (rewrite one; field; lra).
        assert (0 < INR (S m)) by (apply lt_0_INR; lia). rewrite two. field. lra. }
      unfold noise_share. rewrite (S_INR (S m)), (S_INR C) in *.
      assert (0 < INR (S m)) by (apply lt_0_INR; lia).
      field. repeat split; lra.
  Qed.
End Moments.
