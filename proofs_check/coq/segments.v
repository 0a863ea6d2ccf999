(* Variation along segments between data points, and means over ordered pairs of them (volhejn2020, eqs 3.4-3.7). *)

From Coq Require Import Reals Lra Lia List Sorted FunctionalExtensionality.
From ImplicitSmoothness Require Import Sums vectors.
Import ListNotations.
Open Scope R_scope.

(** * Variation along a segment *)

Definition along (a b : vector) (t : R) : vector := fun i => (1 - t) * a i + t * b i.

Lemma along_start a b : along a b 0 = a.
Proof. apply functional_extensionality; intros i; unfold along; ring. Qed.

Lemma along_end a b : along a b 1 = b.
Proof. apply functional_extensionality; intros i; unfold along; ring. Qed.

Definition is_partition (ts : list R) : Prop := Sorted Rle ts /\ Forall (fun t => 0 <= t <= 1) ts.

Fixpoint steps (ts : list R) : list (R * R) :=
  match ts with
  | t :: ((u :: _) as rest) => (t, u) :: steps rest
  | _ => []
  end.

(* The sum over the steps of a partition of how far apart two values are. *)
Definition variation_sum (gap : R -> R -> R) (ts : list R) : R := sum (fun s => gap (fst s) (snd s)) (steps ts).

(* The variation: the supremum over the partitions of [0, 1]. *)
Definition is_variation (gap : R -> R -> R) (v : R) : Prop :=
  is_lub (fun s => exists ts, is_partition ts /\ s = variation_sum gap ts) v.

Lemma variation_sum_le_variation gap v ts : is_variation gap v -> is_partition ts -> variation_sum gap ts <= v.
Proof. intros [U _] P; apply U; eauto. Qed.

Lemma variation_at_least gap v : is_variation gap v -> gap 0 1 <= v.
Proof.
  intros H. replace (gap 0 1) with (variation_sum gap [0; 1]) by (unfold variation_sum; simpl; lra).
  apply variation_sum_le_variation; auto.
  split; repeat constructor; lra.
Qed.

Lemma is_variation_intro gap v : (forall ts, is_partition ts -> variation_sum gap ts <= v) ->
  (exists ts, is_partition ts /\ v <= variation_sum gap ts) -> is_variation gap v.
Proof.
  intros U [ts [P L]]; split.
  - intros s [us [Q ->]]; auto.
  - intros b B. eapply Rle_trans; [exact L|]. apply B; eauto.
Qed.

Lemma variation_unique gap v w : is_variation gap v -> is_variation gap w -> v = w.
Proof. intros [U L] [U' L']; apply Rle_antisym; auto. Qed.

Lemma variation_exists gap bound : (forall ts, is_partition ts -> variation_sum gap ts <= bound) ->
  exists v, is_variation gap v.
Proof.
  intros U. destruct (completeness (fun s => exists ts, is_partition ts /\ s = variation_sum gap ts)) as [v V].
  - exists bound; intros s [ts [P ->]]; auto.
  - exists 0, []; split; [split; constructor|reflexivity].
  - exists v; auto.
Qed.

Lemma steps_of_partition ts s : is_partition ts -> In s (steps ts) -> 0 <= fst s /\ fst s <= snd s /\ snd s <= 1.
Proof.
  intros [S F]; revert S F; induction ts as [|t [|u ts] IH]; intros S F; try easy.
  apply Sorted_inv in S as [S L]; apply HdRel_inv in L. inversion F as [|? ? Ft F']; subst.
  inversion F' as [|? ? Fu _]; subst. intros [<-|H]; [simpl; lra|apply IH; auto].
Qed.

(* A function that only rises, or only falls, varies by no more than the difference at its ends. *)
Lemma variation_of_rising (f : R -> R) ts : is_partition ts ->
  (forall t u, 0 <= t <= u -> u <= 1 -> f t <= f u) ->
  variation_sum (fun t u => Rabs (f u - f t)) ts <= f 1 - f 0.
Proof.
  intros P H.
  assert (G : forall t rest, is_partition (t :: rest) ->
    variation_sum (fun t u => Rabs (f u - f t)) (t :: rest) <= f 1 - f t).
  { clear ts P. intros t rest; revert t; induction rest as [|u rest IH]; intros t [S F].
    - unfold variation_sum; simpl. inversion F; subst. assert (f t <= f 1) by (apply H; lra). lra.
    - apply Sorted_inv in S as [S L]; apply HdRel_inv in L. inversion F as [|? ? Ft F']; subst.
      assert (Fu := Forall_inv F'). specialize (IH u (conj S F')). unfold variation_sum in *.
      change (steps (t :: u :: rest)) with ((t, u) :: steps (u :: rest)). rewrite sum_cons; cbn [fst snd].
      assert (f t <= f u) by (apply H; lra). rewrite Rabs_right by lra. lra. }
  destruct ts as [|t rest].
  - unfold variation_sum; simpl. assert (f 0 <= f 1) by (apply H; lra). lra.
  - specialize (G t rest P). destruct P as [_ F]; apply Forall_inv in F.
    assert (f 0 <= f t) by (apply H; lra). lra.
Qed.

Lemma variation_of_monotone (f : R -> R) ts : is_partition ts ->
  (forall t u, 0 <= t <= u -> u <= 1 -> f t <= f u) \/ (forall t u, 0 <= t <= u -> u <= 1 -> f u <= f t) ->
  variation_sum (fun t u => Rabs (f u - f t)) ts <= Rabs (f 1 - f 0).
Proof.
  intros P [H|H].
  - eapply Rle_trans; [apply variation_of_rising; auto|apply Rle_abs].
  - assert (V := variation_of_rising (fun t => - f t) ts P). unfold variation_sum in *.
    rewrite (sum_eq _ (fun s => Rabs (- f (snd s) - - f (fst s)))).
    + eapply Rle_trans; [apply V|]; [intros t u T U; specialize (H t u T U); lra|].
      rewrite Rabs_minus_sym. eapply Rle_trans; [|apply Rle_abs]. lra.
    + intros s _. rewrite Rabs_minus_sym. f_equal; ring.
Qed.

(* [0, 1] in N equal steps. *)
Definition even_partition (N : nat) : list R := map (fun k => INR k / INR N) (seq 0 (S N)).

Lemma steps_of_map (f : nat -> R) n k : steps (map f (seq k (S n))) = map (fun j => (f j, f (S j))) (seq k n).
Proof.
  revert k; induction n as [|n IH]; intros k; auto.
  change (map f (seq k (S (S n)))) with (f k :: map f (seq (S k) (S n))).
  specialize (IH (S k)). simpl in *. rewrite IH; auto.
Qed.

Lemma even_partition_is_partition N : (0 < N)%nat -> is_partition (even_partition N).
Proof.
  intros H. assert (P : 0 < INR N) by (apply lt_0_INR; auto). assert (Q := Rinv_0_lt_compat _ P). split.
  - unfold even_partition. generalize 0%nat. generalize (S N).
    induction n as [|n IH]; intros k; simpl; constructor; auto.
    destruct n; constructor. apply Rmult_le_compat_r; [lra|]. apply le_INR; lia.
  - apply Forall_forall; intros t Ht. apply in_map_iff in Ht as [k [<- Hk]]; apply in_seq in Hk.
    assert (0 <= INR k) by apply pos_INR. assert (INR k <= INR N) by (apply le_INR; lia).
    split; [apply Rmult_le_pos; lra|]. apply Rmult_le_reg_r with (INR N); auto. unfold Rdiv.
    rewrite Rmult_assoc, Rinv_l; lra.
Qed.

Lemma even_steps N s : (0 < N)%nat -> In s (steps (even_partition N)) -> snd s = fst s + / INR N.
Proof.
  intros H Hs. assert (P : 0 < INR N) by (apply lt_0_INR; auto). unfold even_partition in Hs.
  rewrite steps_of_map in Hs. apply in_map_iff in Hs as [k [<- _]]. cbn [fst snd]. rewrite S_INR. field; lra.
Qed.

(* Nothing is lost against the difference at the ends. *)
Lemma even_variation (f : R -> R) N : (0 < N)%nat ->
  Rabs (f 1 - f 0) <= variation_sum (fun t u => Rabs (f u - f t)) (even_partition N).
Proof.
  intros H. assert (P : 0 < INR N) by (apply lt_0_INR; auto). unfold variation_sum, even_partition.
  rewrite steps_of_map, sum_map; simpl.
  assert (G : forall n, Rabs (f (INR n / INR N) - f 0)
    <= sum (fun j => Rabs (f (INR (S j) / INR N) - f (INR j / INR N))) (seq 0 n)).
  { induction n as [|n IH].
    - simpl. replace (0 / INR N) with 0 by (field; lra). unfold Rminus; rewrite Rplus_opp_r, Rabs_R0; lra.
    - rewrite seq_S, sum_app, sum_cons, sum_nil, Nat.add_0_l.
      replace (f (INR (S n) / INR N) - f 0)
        with ((f (INR n / INR N) - f 0) + (f (INR (S n) / INR N) - f (INR n / INR N))) by ring.
      eapply Rle_trans; [apply Rabs_triang|]. lra. }
  specialize (G N). replace (INR N / INR N) with 1 in G by (field; lra). exact G.
Qed.

(** * Means over ordered pairs *)

Definition mean_over_pairs {A : Type} (h : A -> A -> R) (l : list A) : R := mean (fun a => mean (h a) l) l.

Lemma mean_over_pairs_le {A} (h h' : A -> A -> R) l : (forall a b, In a l -> In b l -> h a b <= h' a b) ->
  mean_over_pairs h l <= mean_over_pairs h' l.
Proof. intros H; apply mean_le; intros; apply mean_le; auto. Qed.

Lemma mean_over_pairs_eq {A} (h h' : A -> A -> R) l : (forall a b, In a l -> In b l -> h a b = h' a b) ->
  mean_over_pairs h l = mean_over_pairs h' l.
Proof. intros H; apply mean_eq; intros; apply mean_eq; auto. Qed.

Lemma mean_over_pairs_sum {A I} (h : I -> A -> A -> R) (is : list I) l :
  mean_over_pairs (fun a b => sum (fun i => h i a b) is) l = sum (fun i => mean_over_pairs (h i) l) is.
Proof.
  unfold mean_over_pairs.
  rewrite (mean_eq _ (fun a => sum (fun i => mean (h i a) l) is)) by (intros; apply mean_sum_swap).
  apply mean_sum_swap.
Qed.

Lemma mean_over_pairs_scal {A} c (h : A -> A -> R) l :
  mean_over_pairs (fun a b => c * h a b) l = c * mean_over_pairs h l.
Proof. unfold mean_over_pairs. rewrite <- mean_scal. apply mean_eq; intros. apply mean_scal. Qed.
